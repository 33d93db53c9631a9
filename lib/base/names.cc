// The names of codes, modes, statuses and operations that the protocol and the tools use.
#include "belay/error.h"
#include "belay/hooks.h"
#include "belay/options.h"
#include "belay/outcome.h"
#include "belay/requests.h"
#include "belay/types.h"

namespace belay {

std::string_view name_of(ErrorCode code) noexcept {
  switch (code) {
#define BELAY_X(name, value, text) \
  case ErrorCode::name: return #name;
    BELAY_ERROR_CODES(BELAY_X)
#undef BELAY_X
  }
  return "error";
}

std::optional<ErrorCode> error_code_from(std::string_view name) noexcept {
#define BELAY_X(code, value, text) \
  if (name == #code) return ErrorCode::code;
  BELAY_ERROR_CODES(BELAY_X)
#undef BELAY_X
  return std::nullopt;
}

std::string_view meaning_of(ErrorCode code) noexcept {
  switch (code) {
#define BELAY_X(name, value, text) \
  case ErrorCode::name: return text;
    BELAY_ERROR_CODES(BELAY_X)
#undef BELAY_X
  }
  return "an error that this version does not know";
}

std::string_view name_of(OutcomeKind kind) noexcept {
  switch (kind) {
    case OutcomeKind::success: return "success";
    case OutcomeKind::failure: return "failure";
    case OutcomeKind::ongoing: return "ongoing";
    case OutcomeKind::unknown: return "unknown";
  }
  return "?";
}

std::string_view name_of(Mode mode) noexcept {
  switch (mode) {
    case Mode::saga: return "saga";
    case Mode::tcc: return "tcc";
    case Mode::xa: return "xa";
    case Mode::msg: return "msg";
    case Mode::workflow: return "workflow";
  }
  return "?";
}

std::string_view name_of(BreakerState state) noexcept {
  switch (state) {
    case BreakerState::closed: return "closed";
    case BreakerState::open: return "open";
    case BreakerState::half_open: return "half-open";
  }
  return "?";
}

std::string_view name_of(Status status) noexcept {
  switch (status) {
    case Status::prepared: return "prepared";
    case Status::submitted: return "submitted";
    case Status::aborting: return "aborting";
    case Status::succeed: return "succeed";
    case Status::failed: return "failed";
  }
  return "?";
}

std::string_view name_of(Op op) noexcept {
  switch (op) {
    case Op::action: return "action";
    case Op::compensate: return "compensate";
    case Op::try_: return "try";
    case Op::confirm: return "confirm";
    case Op::cancel: return "cancel";
    case Op::prepare: return "prepare";
    case Op::commit: return "commit";
    case Op::rollback: return "rollback";
    case Op::query: return "query";
  }
  return "?";
}

std::string_view name_of(LogLevel level) noexcept {
  switch (level) {
    case LogLevel::debug: return "debug";
    case LogLevel::info: return "info";
    case LogLevel::warning: return "warning";
    case LogLevel::error: return "error";
  }
  return "?";
}

std::optional<LogLevel> log_level_from(std::string_view name) noexcept {
  for (const auto level : {LogLevel::debug, LogLevel::info, LogLevel::warning, LogLevel::error}) {
    if (name == name_of(level)) return level;
  }
  return std::nullopt;
}

std::string_view name_of(Verb verb) noexcept {
  switch (verb) {
    case Verb::replay: return "replay";
    case Verb::stop: return "stop";
    case Verb::back: return "back";
    case Verb::resolve: return "resolve";
    case Verb::edit: return "edit";
    case Verb::hold: return "hold";
    case Verb::release: return "release";
    case Verb::subscribe: return "subscribe";
    case Verb::unsubscribe: return "unsubscribe";
    case Verb::remove_topic: return "remove_topic";
    case Verb::log_level: return "log_level";
  }
  return "?";
}

std::optional<Verb> verb_from(std::string_view name) noexcept {
  for (const auto verb :
       {Verb::replay, Verb::stop, Verb::back, Verb::resolve, Verb::edit, Verb::hold, Verb::release,
        Verb::subscribe, Verb::unsubscribe, Verb::remove_topic, Verb::log_level}) {
    if (name == name_of(verb)) return verb;
  }
  return std::nullopt;
}

std::optional<Mode> mode_from(std::string_view name) noexcept {
  for (const auto mode : {Mode::saga, Mode::tcc, Mode::xa, Mode::msg, Mode::workflow}) {
    if (name == name_of(mode)) return mode;
  }
  return std::nullopt;
}

std::optional<Status> status_from(std::string_view name) noexcept {
  for (const auto status :
       {Status::prepared, Status::submitted, Status::aborting, Status::succeed, Status::failed}) {
    if (name == name_of(status)) return status;
  }
  return std::nullopt;
}

std::optional<Op> op_from(std::string_view name) noexcept {
  for (const auto op : {Op::action, Op::compensate, Op::try_, Op::confirm, Op::cancel, Op::prepare,
                        Op::commit, Op::rollback, Op::query}) {
    if (name == name_of(op)) return op;
  }
  return std::nullopt;
}

}  // namespace belay
