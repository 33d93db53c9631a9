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

void Coordinator::take(ports::PostedRequest& request) {
  const auto done = [this, id = request.id](const Result<Report>& result) {
    posted_told(id, result);
  };
  if (request.definition) {
    SubmitRequest submit{std::move(*request.definition),
                         core::Entry::submit,
                         request.gid.empty(),
                         false,
                         done,
                         request.id};
    return take(submit);
  }
  const auto verb = verb_from(request.verb);
  if (!verb) {
    return posted_told(request.id, Error{ErrorCode::unsupported,
                                         fmt::format("the verb '{}' is not known", request.verb)});
  }
  if (take_about_none(request, *verb)) return;
  WordRequest word{.gid = request.gid,
                   .word = word_of(*verb),
                   .reason = base::signed_reason(request.reason, request.asked_by),
                   .done = done,
                   .posted = request.id,
                   .branch_id = std::move(request.branch_id),
                   .op = request.op,
                   .outcome = request.outcome,
                   .changes = std::move(request.changes)};
  take(word);
}

// What is about no transaction; false: it is about one. Its answer goes into the open batch.
bool Coordinator::take_about_none(ports::PostedRequest& request, Verb verb) {
  using Kind = ports::TopicChange::Kind;
  const auto refused = [this, id = request.id](const Result<>& result) {
    if (!result) posted_told(id, result.error());
  };
  const auto change_topic = [&](Kind kind) {
    TopicRequest topic{{std::move(request.subscription), kind}, refused, request.id};
    take(topic);
  };
  switch (verb) {
    case Verb::hold:
    case Verb::release: {
      HoldRequest hold{
          {{std::move(request.target), std::move(request.reason), std::move(request.asked_by)},
           verb == Verb::release},
          refused,
          request.id};
      take(hold);
      return true;
    }
    case Verb::subscribe: return change_topic(Kind::subscribe), true;
    case Verb::unsubscribe: return change_topic(Kind::unsubscribe), true;
    case Verb::remove_topic: return change_topic(Kind::remove), true;
    case Verb::log_level: {
      LogLevelRequest level{request.level, refused, request.id};
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
