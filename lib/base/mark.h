// Marks in rare branches count how often they were reached, so that a test suite can show that it
// reached them. A mark costs one relaxed increment, and is placed only where something rare
// happens.
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <string_view>

// The simulator's fixed seeds must reach every mark.
#define BELAY_MARKS(X)                                                                         \
  X(undo_waits_for_call)     /* a transaction turned back during a call of the branch */       \
  X(call_withdrawn)          /* a transaction turned back before a decided call was made */    \
  X(answer_after_timeout)    /* a call was answered after it was given up */                   \
  X(call_waits_for_handler)  /* an earlier handler of the branch ran past its timeout */       \
  X(late_answer_counts)      /* a handler answered yes or no after its timeout */              \
  X(call_waits_for_place)    /* calls_in_flight_max was reached */                             \
  X(call_waits_for_release)  /* an operator holds its target */                                \
  X(call_waits_for_lane)     /* the host had no place for one more call */                     \
  X(waiting_call_withdrawn)  /* another decision came while a call waited */                   \
  X(parked_then_registered)  /* a handler was registered, and its transaction went on */       \
  X(parked_then_turned_back) /* a transaction turned back while a branch was parked */         \
  X(joined_before_durable)   /* a caller joined before the last record was on disk */          \
  X(went_on_before_told)     /* a caller's answer had to wait for a later batch */             \
  X(live_bytes_ran_out)      /* live_bytes_max was reached */                                  \
  X(queued_bytes_ran_out)    /* queued_bytes_max was reached */                                \
  X(call_bytes_ran_out)      /* call_bytes_max was reached */                                  \
  X(request_waits_for_batch) /* the open batch had no room for a request */                    \
  X(lookup_waits_for_batch)  /* the open batch had no room for a gid that was looked up */     \
  X(answer_waits_for_batch)  /* the open batch had no room for a call's answer */              \
  X(act_waits_for_batch)     /* the open batch had no room for the effects of a commit */      \
  X(commit_overlaps)         /* a batch was sent while effects were carried out */             \
  X(due_waits_for_batch)     /* the open batch had no room for a due transaction */            \
  X(gave_up_on_disk)         /* callers were told commit_unknown */                            \
  X(closed_on_bad_disk)      /* the engine closed although the disk refused */                 \
  X(snapshot_of_unfinished)  /* an unfinished transaction got a row */                         \
  X(finished_erases_row)     /* a row was erased, because the history is not kept */           \
  X(clock_leaned)            /* the wall clock had jumped */                                   \
  X(word_met_lookup)         /* a gid was begun during a caller's lookup of it */              \
  X(resumed_by_word)         /* a request came before its recovered transaction went on */     \
  X(branch_told_by_abort)    /* a branch's caller was told that the transaction turned back */ \
  X(query_withdrawn)         /* a decision came before the back-check was called */            \
  X(query_out_at_end)        /* all else was done while a back-check was in flight */          \
  X(prepared_fans_out)       /* a prepared message went to a topic's subscribers */            \
  X(ended_before_callback)   /* a workflow ended during its callback */                        \
  X(superseded)              /* another engine had opened the file */

namespace belay::base {

enum class Mark : std::uint8_t {
#define BELAY_X(name) name,
  BELAY_MARKS(BELAY_X)
#undef BELAY_X
};

inline constexpr std::string_view kMarkNames[] = {
#define BELAY_X(name) #name,
    BELAY_MARKS(BELAY_X)
#undef BELAY_X
};
inline constexpr std::size_t kMarks = sizeof(kMarkNames) / sizeof(kMarkNames[0]);

inline std::array<std::atomic<std::uint32_t>, kMarks> mark_counts{};

inline void mark(Mark mark) {
  mark_counts[static_cast<std::size_t>(mark)].fetch_add(1, std::memory_order_relaxed);
}

}  // namespace belay::base

#define BELAY_MARK(name) ::belay::base::mark(::belay::base::Mark::name)
