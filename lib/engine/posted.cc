// The requests that other processes post in the state file. Each is carried out like a request of
// this process, but its answer is a row, which is on disk with the batch that holds its effect: so
// after a crash it is either answered and done, or neither.
#include <utility>

#include "base/signed_reason.h"
#include "base/utf8.h"
#include "engine/coordinator.h"

namespace belay::engine {
namespace {

constexpr std::size_t kDetailBytesMax = 1'024;

// The request may succeed later, without being changed.
bool is_passing(ErrorCode code) {
  switch (code) {
    case ErrorCode::storage:
    case ErrorCode::no_space:
    case ErrorCode::corrupt:
    case ErrorCode::busy:
    case ErrorCode::closed:
    case ErrorCode::live_limit:
    case ErrorCode::live_bytes_limit:
    case ErrorCode::queued_bytes_limit:
    case ErrorCode::commit_unknown:
    case ErrorCode::superseded:
    case ErrorCode::resources: return true;
    default: return false;
  }
}

bool is_lack_of_room(ErrorCode code) {
  return code == ErrorCode::live_limit || code == ErrorCode::live_bytes_limit;
}

WordRequest::Word word_of(Verb verb) {
  switch (verb) {
    case Verb::replay: return WordRequest::Word::hasten;
    case Verb::stop: return WordRequest::Word::stop;
    case Verb::back: return WordRequest::Word::back;
    case Verb::edit: return WordRequest::Word::edit;
    default: break;  // the others are about no transaction
  }
  return WordRequest::Word::resolve;
}

}  // namespace

void Coordinator::look_for_posted() {
  posted_.notice();
  turn();
}

void Coordinator::read_posted() {
  if (refusal()) return;
  const auto query = posted_.to_read(time_.monotonic());
  if (!query) return;
  posted_.begin_read();
  ports_.store.read_posted(*query, [this, query = *query](Result<ports::Store::Posted> posted) {
    time_.tick(ports_.clock);
    if (!posted && !give_up_if_superseded(posted.error()))
      log_.warning("the requests in the state file cannot be read: {}", posted.error().detail);
    posted_.end_read(query, std::move(posted), time_.monotonic());
    turn();
  });
}

void Coordinator::take_posted() {
  budget_.spend_on(Share::asked);
  while (posted_.has_next() && !refusal() && budget_.has_room()) {
    auto request = posted_.take();
    if (posted_.must_wait(request)) {
      posted_.defer(request.id, false, time_.monotonic());
    } else if (request.wrong) {
      posted_told(request.id, *request.wrong);
    } else {
      take(request);
    }
  }
  if (const auto count = posted_lines_.take_left_out(time_.monotonic()); count != 0)
    log_.error("{} more requests in the state file are refused", count);
}

void Coordinator::take(ports::PostedRequest& posted) {
  const auto done = [this, id = posted.id](const Result<Report>& result) {
    posted_told(id, result);
  };
  auto& asked = posted.asked;
  if (posted.definition) {
    SubmitRequest submit{std::move(*posted.definition),
                         core::Entry::submit,
                         asked.gid.empty(),
                         false,
                         done,
                         posted.id};
    return take(submit);
  }
  if (take_about_none(asked, posted.id)) return;
  WordRequest word{.gid = asked.gid,
                   .word = word_of(asked.verb),
                   .reason = base::signed_reason(asked.reason, asked.asked_by),
                   .done = done,
                   .posted = posted.id,
                   .branch_id = std::move(asked.branch_id),
                   .op = asked.op,
                   .outcome = asked.outcome,
                   .changes = std::make_shared<const Changes>(std::move(asked.changes))};
  take(word);
}

// What is about no transaction; false: it is about one. Its answer goes into the open batch.
bool Coordinator::take_about_none(belay::Request& asked, std::int64_t posted) {
  using Kind = ports::TopicChange::Kind;
  const auto refused = [this, posted](const Result<>& result) {
    if (!result) posted_told(posted, result.error());
  };
  const auto change_topic = [&](Kind kind) {
    TopicRequest topic{{std::move(asked.subscription), kind}, refused, posted};
    take(topic);
  };
  switch (asked.verb) {
    case Verb::hold:
    case Verb::release: {
      HoldRequest hold{
          {{std::move(asked.target), std::move(asked.reason), std::move(asked.asked_by)},
           asked.verb == Verb::release},
          refused,
          posted};
      take(hold);
      return true;
    }
    case Verb::subscribe: return change_topic(Kind::subscribe), true;
    case Verb::unsubscribe: return change_topic(Kind::unsubscribe), true;
    case Verb::remove_topic: return change_topic(Kind::remove), true;
    case Verb::log_level: {
      LogLevelRequest level{asked.level, refused, posted};
      take(level);
      return true;
    }
    default: return false;
  }
}

// The result of a request comes within its decision, or after the batch with its answer.
void Coordinator::posted_told(std::int64_t posted, const Result<Report>& result) {
  if (!posted_.is_open(posted)) return;
  if (result) return answer_posted(posted, ports::kPostedTaken, name_of(result->status()));
  const auto& error = result.error();
  if (is_passing(error.code)) {
    --figures_.counters.refused;  // counted by `refuse`, and not refused
    return posted_.defer(posted, is_lack_of_room(error.code), time_.monotonic());
  }
  if (posted_lines_.take(time_.monotonic()))
    log_.error("request {} in the state file is refused: {}", posted, error.detail);
  answer_posted(posted, name_of(error.code), error.detail);
}

void Coordinator::answer_posted(std::int64_t posted, std::string_view answer,
                                std::string_view detail) {
  ports::PostedAnswer row{posted, posted_.gid_of(posted), std::string(answer),
                          base::to_text(detail.substr(0, kDetailBytesMax)), time_.now()};
  budget_.spend(0, sizeof(row) + row.gid.size() + row.detail.size());
  batches_.open.posted.push_back(std::move(row));
  posted_.answered(posted);
}

}  // namespace belay::engine
