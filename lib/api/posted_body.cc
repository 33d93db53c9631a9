#include "api/posted_body.h"

#include <fmt/format.h>

#include <algorithm>
#include <string_view>
#include <utility>
#include <vector>

#include "api/request_body.h"
#include "api/targets.h"
#include "base/invalid.h"
#include "base/json_cursor.h"
#include "store/json.h"

namespace belay::api {
namespace {

namespace json = store::json;

bool has_body(Verb verb) {
  return verb != Verb::replay && verb != Verb::stop && verb != Verb::back;
}

// Reads the body of a verb into its request.
class OrderReader {
 public:
  OrderReader(std::string_view text, Request& asked) : in_(text), asked_(asked) {}

  Result<> read() {
    std::vector<std::string> seen;
    for (in_.enter('{'); in_.more('}');) {
      auto key = in_.key();
      const bool is_new = std::find(seen.begin(), seen.end(), key) == seen.end();
      const bool is_read = is_new && read_member(key);
      if (!is_read && in_.ok()) {
        return base::invalid(
            fmt::format("the body has a key '{}' that is unknown or comes twice", key));
      }
      seen.push_back(std::move(key));
    }
    if (too_many_)
      return base::invalid(fmt::format("the body has more than {} headers", kHeadersMax));
    if (!in_.at_end()) return base::invalid("the body is no JSON object of that form");
    return set_words();
  }

 private:
  bool read_member(std::string_view key) {
    auto& [topic, target, remark] = asked_.subscription;
    switch (asked_.verb) {
      case Verb::hold:
      case Verb::release: return key == "target" && read_text(asked_.target);
      case Verb::subscribe:
        if (key == "remark") return read_text(remark);
        [[fallthrough]];
      case Verb::unsubscribe:
        if (key == "target") return read_text(target);
        [[fallthrough]];
      case Verb::remove_topic: return key == "topic" && read_text(topic);
      case Verb::log_level: return key == "level" && read_text(level_);
      case Verb::edit: return read_branch(key) || read_change(key);
      default: return read_branch(key) || (key == "as" && read_text(as_));
    }
  }

  bool read_text(std::string& into) {
    into = in_.text();
    return true;
  }

  bool read_branch(std::string_view key) {
    if (key == "branch_id") return read_text(asked_.branch_id);
    return key == "op" && read_text(op_);
  }

  bool read_change(std::string_view key) {
    auto& changes = asked_.changes;
    if (key == "target") {
      changes.target = in_.text();
    } else if (key == "payload") {
      changes.payload = in_.bytes();
    } else if (key == "headers") {
      read_headers();
    } else if (key == "without_headers") {
      for (in_.enter('['); in_.more(']') && has_room(changes.without_headers.size());)
        changes.without_headers.push_back(in_.text());
    } else {
      return false;
    }
    return true;
  }

  // [["name", "value"], …]
  void read_headers() {
    auto& headers = asked_.changes.headers;
    for (in_.enter('['); in_.more(']') && has_room(headers.size());) {
      auto& header = headers.emplace_back();
      in_.enter('[');
      if (in_.more(']')) header.name = in_.text();
      if (in_.more(']')) header.value = in_.text();
      if (in_.more(']')) return refuse_all();  // more than a name and a value
    }
  }

  void refuse_all() {
    in_ = base::JsonCursor({});
    static_cast<void>(in_.text());  // fails: nothing more is read
  }

  bool has_room(std::size_t count) {
    too_many_ = too_many_ || count == kHeadersMax;
    return !too_many_;
  }

  // The members that are words of the language.
  Result<> set_words() {
    if (asked_.verb == Verb::log_level) return set_level();
    if (asked_.verb != Verb::resolve && asked_.verb != Verb::edit) return {};
    const auto op = op_from(op_);
    if (!op) return base::invalid(fmt::format("'op' is '{}', no operation", op_));
    asked_.op = *op;
    return asked_.verb == Verb::resolve ? set_outcome() : Result<>();
  }

  Result<> set_outcome() {
    for (const auto kind : {OutcomeKind::success, OutcomeKind::failure}) {
      asked_.outcome = kind;
      if (as_ == name_of(kind)) return {};
    }
    return base::invalid(fmt::format("'as' is '{}', it must be success or failure", as_));
  }

  Result<> set_level() {
    const auto known = log_level_from(level_);
    if (!known) {
      return base::invalid(
          fmt::format("'level' is '{}', it must be debug, info, warning or error", level_));
    }
    asked_.level = *known;
    return {};
  }

  base::JsonCursor in_;
  Request& asked_;
  std::string op_, as_, level_;
  bool too_many_ = false;
};

Result<> read_order(ports::PostedRequest& posted, const hook::Hooks& hooks) {
  const auto verb = verb_from(posted.verb);
  if (!verb) {
    return Error{ErrorCode::unsupported, fmt::format("the verb '{}' is not known", posted.verb)};
  }
  auto& asked = posted.asked;
  asked.verb = *verb;
  if (!has_body(*verb)) return {};
  BELAY_TRY(OrderReader(posted.body, asked).read());
  return *verb == Verb::subscribe ? check_target(hooks, asked.subscription) : Result<>();
}

Result<> read_submit(ports::PostedRequest& posted, const Limits& limits, const hook::Hooks& hooks) {
  auto definition = definition_from(posted.body, posted.asked.gid, limits, &hooks);
  if (!definition) return definition.error();
  posted.definition = std::move(*definition);
  return {};
}

void put_member(std::string& out, std::string_view key) {
  out += out.size() > 1 ? ",\"" : "\"";
  out.append(key).append("\":");
}

void put_changes(std::string& out, const Changes& changes) {
  if (changes.target) {
    put_member(out, "target");
    json::put_text(out, *changes.target);
  }
  if (changes.payload) {
    put_member(out, "payload");
    json::put_bytes(out, *changes.payload);
  }
  if (!changes.headers.empty()) put_member(out, "headers");
  for (std::size_t i = 0; i < changes.headers.size(); ++i) {
    out += i == 0 ? "[[" : "],[";
    json::put_text(out, changes.headers[i].name);
    out += ',';
    json::put_text(out, changes.headers[i].value);
  }
  if (!changes.headers.empty()) out += "]]";
  if (!changes.without_headers.empty()) put_member(out, "without_headers");
  for (std::size_t i = 0; i < changes.without_headers.size(); ++i) {
    out += i == 0 ? '[' : ',';
    json::put_text(out, changes.without_headers[i]);
  }
  if (!changes.without_headers.empty()) out += ']';
}

}  // namespace

std::string body_of(const Request& request) {
  if (!has_body(request.verb)) return {};
  std::string body = "{";
  const auto text = [&body](std::string_view key, std::string_view value) {
    put_member(body, key);
    json::put_text(body, value);
  };
  const auto& [topic, target, remark] = request.subscription;
  switch (request.verb) {
    case Verb::hold:
    case Verb::release: text("target", request.target); break;
    case Verb::log_level: text("level", name_of(request.level)); break;
    case Verb::subscribe:
    case Verb::unsubscribe:
    case Verb::remove_topic:
      text("topic", topic);
      if (request.verb != Verb::remove_topic) text("target", target);
      if (request.verb == Verb::subscribe) text("remark", remark);
      break;
    default:
      text("branch_id", request.branch_id);
      text("op", name_of(request.op));
      if (request.verb == Verb::edit) put_changes(body, request.changes);
      if (request.verb == Verb::resolve) text("as", name_of(request.outcome));
  }
  return body + "}";
}

void read_body(ports::PostedRequest& posted, const Limits& limits, const hook::Hooks& hooks) {
  if (posted.wrong) return;
  const auto read =
      posted.verb == "submit" ? read_submit(posted, limits, hooks) : read_order(posted, hooks);
  if (!read) posted.wrong = read.error();
  posted.body = {};
}

}  // namespace belay::api
