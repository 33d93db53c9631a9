#include "api/posted_body.h"

#include <fmt/format.h>

#include <algorithm>
#include <memory>
#include <optional>
#include <string_view>
#include <utility>
#include <vector>

#include "api/request_body.h"
#include "api/targets.h"
#include "base/invalid.h"
#include "store/json.h"
#include "store/json_cursor.h"

namespace belay::api {
namespace {

namespace json = store::json;

bool has_body(Verb verb) {
  return verb != Verb::replay && verb != Verb::stop && verb != Verb::back;
}

// The members of the bodies of all verbs but submit.
struct OrderBody {
  std::string branch_id;
  std::string op;
  std::optional<std::string> as;
  std::string level;
  Subscription subscription;
  Changes changes;
};

class OrderReader {
 public:
  OrderReader(std::string_view text, Verb verb) : in_(text), verb_(verb) {}

  Result<OrderBody> read() {
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
    return std::move(body_);
  }

 private:
  bool read_member(std::string_view key) {
    switch (verb_) {
      case Verb::hold:
      case Verb::release: return key == "target" && read_change(key);
      case Verb::subscribe:
      case Verb::unsubscribe:
      case Verb::remove_topic: return read_subscription(key);
      case Verb::log_level: return key == "level" && read_text(body_.level);
      case Verb::edit: return read_common(key) || read_change(key);
      default: return read_common(key) || read_as(key);
    }
  }

  bool read_text(std::string& into) {
    into = in_.text();
    return true;
  }

  bool read_subscription(std::string_view key) {
    auto& [topic, target, remark] = body_.subscription;
    if (key == "topic") return read_text(topic);
    if (key == "target" && verb_ != Verb::remove_topic) return read_text(target);
    return key == "remark" && verb_ == Verb::subscribe && read_text(remark);
  }

  bool read_common(std::string_view key) {
    if (key == "branch_id") {
      body_.branch_id = in_.text();
    } else if (key == "op") {
      body_.op = in_.text();
    } else {
      return false;
    }
    return true;
  }

  bool read_as(std::string_view key) {
    if (key == "as") body_.as = in_.text();
    return key == "as";
  }

  bool read_change(std::string_view key) {
    auto& changes = body_.changes;
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
    auto& headers = body_.changes.headers;
    for (in_.enter('['); in_.more(']') && has_room(headers.size());) {
      auto& header = headers.emplace_back();
      in_.enter('[');
      if (in_.more(']')) header.name = in_.text();
      if (in_.more(']')) header.value = in_.text();
      if (in_.more(']')) return refuse_all();  // more than a name and a value
    }
  }

  void refuse_all() {
    in_ = json::Cursor({});
    static_cast<void>(in_.text());  // fails: nothing more is read
  }

  bool has_room(std::size_t count) {
    too_many_ = too_many_ || count == kHeadersMax;
    return !too_many_;
  }

  json::Cursor in_;
  const Verb verb_;
  OrderBody body_;
  bool too_many_ = false;
};

Result<> read_outcome(const std::optional<std::string>& as, OutcomeKind& outcome) {
  for (const auto kind : {OutcomeKind::success, OutcomeKind::failure}) {
    outcome = kind;
    if (as == name_of(kind)) return {};
  }
  return base::invalid(fmt::format("'as' is '{}', it must be success or failure", as.value_or("")));
}

Result<> read_level(std::string_view name, LogLevel& level) {
  const auto known = log_level_from(name);
  if (!known) {
    return base::invalid(
        fmt::format("'level' is '{}', it must be debug, info, warning or error", name));
  }
  level = *known;
  return {};
}

Result<> read_order(ports::PostedRequest& request, Verb verb, const hook::Hooks& hooks) {
  auto body = OrderReader(request.body, verb).read();
  if (!body) return body.error();
  request.target = body->changes.target.value_or("");
  request.subscription = std::move(body->subscription);
  if (verb == Verb::subscribe) return check_target(hooks, request.subscription);
  if (verb == Verb::log_level) return read_level(body->level, request.level);
  if (verb != Verb::resolve && verb != Verb::edit) return {};
  const auto op = op_from(body->op);
  if (!op) return base::invalid(fmt::format("'op' is '{}', no operation", body->op));
  request.op = *op;
  request.branch_id = std::move(body->branch_id);
  if (verb == Verb::resolve) return read_outcome(body->as, request.outcome);
  request.changes = std::make_shared<const Changes>(std::move(body->changes));
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

void read_body(ports::PostedRequest& request, const Limits& limits, const hook::Hooks& hooks) {
  if (request.wrong) return;
  if (request.verb == "submit") {
    auto definition = definition_from(request.body, request.gid, limits, &hooks);
    if (definition) {
      request.definition = std::move(*definition);
    } else {
      request.wrong = definition.error();
    }
  } else if (const auto verb = verb_from(request.verb); verb && has_body(*verb)) {
    if (const auto read = read_order(request, *verb, hooks); !read) request.wrong = read.error();
  }
  request.body = {};
}

}  // namespace belay::api
