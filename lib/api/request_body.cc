#include "api/request_body.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <string_view>
#include <utility>
#include <vector>

#include "api/targets.h"
#include "base/invalid.h"
#include "base/json_cursor.h"
#include "base/number.h"
#include "belay/engine.h"
#include "belay/msg.h"
#include "belay/saga.h"
#include "belay/tcc.h"
#include "belay/transfer.h"
#include "core/bounds.h"
#include "core/draft.h"
#include "core/ops.h"
#include "store/json.h"

namespace belay::api {
namespace {

namespace json = store::json;

// The names of a step's targets in a mode.
struct TargetNames {
  std::string_view first;
  std::string_view commit;
  std::string_view rollback;
};

TargetNames step_names(Mode mode) {
  if (mode == Mode::msg) return {"target", "", ""};
  const auto& ops = core::ops_of(mode);
  return {name_of(ops.first), ops.commits ? name_of(ops.commit) : "", name_of(ops.rollback)};
}

// True: the branches are called at once, unless the description says "in_order". False: they are
// called in order, unless it says "concurrent".
bool has_order(Mode mode) { return mode == Mode::tcc || mode == Mode::xa; }

// ---- writing

class Writer {
 public:
  // `gid`: empty in the body of a posted request, which has a column for it.
  std::string write(const core::Draft& draft, std::string_view gid = {}) {
    const auto names = step_names(draft.mode);
    open('{');
    text("mode", name_of(draft.mode));
    if (!gid.empty()) bytes("gid", gid);
    key("steps");
    open('[');
    for (const auto& step : draft.steps) {
      if (!step.is_query) write(step, names);
    }
    close(']');
    for (const auto& step : draft.steps) {
      if (step.is_query) text("query", step.first);
    }
    const bool is_sequential = draft.shape == core::Shape::sequential;
    if (has_order(draft.mode) && is_sequential) flag("in_order");
    if (!has_order(draft.mode) && draft.shape == core::Shape::concurrent) flag("concurrent");
    if (draft.orders != nullptr && !draft.orders->empty()) write(*draft.orders);
    if (draft.delay.count() != 0) number("delay_ms", draft.delay.count());
    const auto& settings = *draft.settings;
    if (settings.timeout_to_fail) number("timeout_to_fail_ms", settings.timeout_to_fail->count());
    write(settings.request_timeout, settings.retry, settings.headers);
    if (!settings.custom_data.empty()) bytes("custom_data", settings.custom_data);
    if (!settings.trace_parent.empty()) text("trace_parent", settings.trace_parent);
    close('}');
    return std::move(out_);
  }

 private:
  void write(const core::DraftStep& step, const TargetNames& names) {
    comma();
    open('{');
    text(names.first, step.first);
    if (!names.commit.empty()) text(names.commit, step.commit);
    if (!names.rollback.empty()) text(names.rollback, step.rollback);
    if (!step.payload.empty()) bytes("payload", step.payload);
    if (!step.branch_id.empty()) text("branch_id", step.branch_id);
    if (step.options != nullptr)
      write(step.options->request_timeout, step.options->retry, step.options->headers);
    close('}');
  }

  void write(const std::vector<Saga::Order>& orders) {
    key("orders");
    open('[');
    for (const auto& order : orders) {
      comma();
      open('{');
      number("step", order.step);
      key("after");
      open('[');
      for (const auto after : order.after) {
        comma();
        base::append_number(out_, after);
      }
      close(']');
      close('}');
    }
    close(']');
  }

  void write(const std::optional<Millis>& request_timeout, const std::optional<Retry>& retry,
             const std::vector<Header>& headers) {
    if (request_timeout) number("request_timeout_ms", request_timeout->count());
    if (retry) {
      key("retry");
      open('{');
      number("first_interval_ms", retry->first_interval.count());
      number("multiplier", retry->multiplier);
      number("interval_max_ms", retry->interval_max.count());
      number("jitter", retry->jitter);
      number("limit", retry->limit);
      number("ongoing_interval_ms", retry->ongoing_interval.count());
      close('}');
    }
    if (headers.empty()) return;
    key("headers");
    open('[');
    for (const auto& [name, value] : headers) {
      comma();
      open('[');
      json::put_text(out_, name);
      out_ += ',';
      json::put_text(out_, value);
      close(']');
    }
    close(']');
  }

  void open(char bracket) {
    out_ += bracket;
    first_ = true;
  }
  void close(char bracket) {
    out_ += bracket;
    first_ = false;
  }
  void comma() {
    if (!std::exchange(first_, false)) out_ += ',';
  }
  void key(std::string_view name) {
    comma();
    json::put_text(out_, name);
    out_ += ':';
  }
  void text(std::string_view name, std::string_view value) {
    key(name);
    json::put_text(out_, value);
  }
  void bytes(std::string_view name, std::string_view value) {
    key(name);
    json::put_bytes(out_, value);
  }
  template <class Number>
  void number(std::string_view name, Number value) {
    key(name);
    base::append_number(out_, value);
  }
  void flag(std::string_view name) {
    key(name);
    out_ += "true";
  }

  std::string out_;
  bool first_ = true;
};

// ---- reading

struct Step {
  TargetNames used{};  // the names that were given
  std::string first;
  std::string commit;
  std::string rollback;
  std::string payload;
  std::string branch_id;
  StepOptions options;
};

struct Body {
  std::string mode;
  std::vector<Step> steps;
  std::optional<std::string> query;
  bool concurrent = false;
  bool in_order = false;
  std::vector<Saga::Order> orders;
  std::optional<std::int64_t> delay_ms;
  std::optional<StepOptions> shared;  // of a row: the options of its back-check
  Settings settings;
};

// Where the gid is: beside the body, or in it.
enum class BodyForm : std::uint8_t { posted, with_gid };

// Reads the whole body; a key that nobody reads is an error.
class BodyReader {
 public:
  BodyReader(std::string_view text, const Limits& limits) : in_(text), limits_(limits) {}

  Result<Body> read(BodyForm form = BodyForm::posted) {
    form_ = form;
    read_object([this](const std::string& key) { read_member(key); });
    return result();
  }

  // Reads the column `definition` of a row.
  Result<Body> read_row(Mode mode) {
    body_.mode = name_of(mode);
    read_object([this](const std::string& key) { read_row_member(key); });
    if (has_order(mode)) body_.in_order = !std::exchange(body_.concurrent, false);
    take_query_out();
    return result();
  }

 private:
  Result<Body> result() {
    if (!wrong_ && (!in_.ok() || !in_.at_end()))
      wrong_ = invalid(last_.empty() ? std::string("the body is no JSON object of that form")
                                     : fmt::format("the body cannot be read at '{}'", last_));
    if (wrong_) return *wrong_;
    return std::move(body_);
  }

  static Error invalid(std::string detail) { return base::invalid(std::move(detail)); }
  void refuse(std::string detail) {
    if (!wrong_) wrong_ = invalid(std::move(detail));
    in_ = base::JsonCursor({});
    static_cast<void>(in_.text());  // fails: nothing more is read
  }

  // Calls `read_value` with each key. A key that comes twice is refused: readers differ about which
  // of the two counts.
  template <class Read>
  void read_object(const Read& read_value) {
    std::vector<std::string> seen;
    for (in_.enter('{'); in_.more('}');) {
      auto key = last_ = in_.key();
      if (std::find(seen.begin(), seen.end(), key) != seen.end())
        return refuse(fmt::format("the key '{}' comes twice", key));
      read_value(key);
      seen.push_back(std::move(key));
    }
  }

  void read_member(const std::string& key) {
    auto& settings = body_.settings;
    if (key == "mode") {
      body_.mode = in_.text();
    } else if (key == "gid" && form_ == BodyForm::with_gid) {
      settings.gid = in_.bytes();
    } else if (key == "steps") {
      read_steps();
    } else if (key == "query") {
      body_.query = in_.text();
    } else if (key == "concurrent") {
      body_.concurrent = in_.flag();
    } else if (key == "in_order") {
      body_.in_order = in_.flag();
    } else if (key == "orders") {
      read_orders();
    } else if (key == "delay_ms") {
      body_.delay_ms = in_.integer();
    } else if (key == "timeout_to_fail_ms") {
      settings.timeout_to_fail = Millis{in_.integer()};
    } else if (key == "custom_data") {
      settings.custom_data = in_.bytes();
    } else if (key == "trace_parent") {
      settings.trace_parent = in_.text();
    } else if (!read_option(key, settings.request_timeout, settings.retry, settings.headers)) {
      refuse(fmt::format("the body has an unknown key '{}'", key));
    }
  }

  bool read_option(const std::string& key, std::optional<Millis>& request_timeout,
                   std::optional<Retry>& retry, std::vector<Header>& headers) {
    if (key == "request_timeout_ms") {
      request_timeout = Millis{in_.integer()};
    } else if (key == "retry") {
      retry = read_retry();
    } else if (key == "headers") {
      read_headers(headers);
    } else {
      return false;
    }
    return true;
  }

  Retry read_retry() {
    Retry retry;
    read_object([&](const std::string& key) {
      if (key == "first_interval_ms") {
        retry.first_interval = Millis{in_.integer()};
      } else if (key == "multiplier") {
        retry.multiplier = in_.real();
      } else if (key == "interval_max_ms") {
        retry.interval_max = Millis{in_.integer()};
      } else if (key == "jitter") {
        retry.jitter = in_.real();
      } else if (key == "limit") {
        retry.limit = small("retry.limit");
      } else if (key == "ongoing_interval_ms") {
        retry.ongoing_interval = Millis{in_.integer()};
      } else {
        refuse(fmt::format("'retry' has an unknown key '{}'", key));
      }
    });
    return retry;
  }

  void read_headers(std::vector<Header>& headers) {
    for (in_.enter('['); in_.more(']');) {
      if (headers.size() == kHeadersMax)
        return refuse(fmt::format("there are more than {} headers", kHeadersMax));
      in_.enter('[');
      auto& header = headers.emplace_back();
      if (in_.more(']')) header.name = in_.text();
      if (in_.more(']')) header.value = in_.text();
      if (in_.more(']')) refuse("a header is more than a name and a value");
    }
  }

  void read_steps() {
    for (in_.enter('['); in_.more(']');) {
      if (body_.steps.size() == limits_.branches_max)
        return refuse(fmt::format("there are more than {} steps", limits_.branches_max));
      auto& step = body_.steps.emplace_back();
      read_object([&](const std::string& key) { read_step_member(step, key); });
    }
  }

  void read_step_member(Step& step, const std::string& key) {
    for (const auto mode : {Mode::saga, Mode::tcc, Mode::xa, Mode::msg}) {
      const auto names = step_names(mode);
      if (take_target(key, names.first, step.used.first, step.first)) return;
      if (take_target(key, names.commit, step.used.commit, step.commit)) return;
      if (take_target(key, names.rollback, step.used.rollback, step.rollback)) return;
    }
    auto& options = step.options;
    if (key == "payload") {
      step.payload = in_.bytes();
    } else if (key == "branch_id") {
      step.branch_id = in_.text();
    } else if (!read_option(key, options.request_timeout, options.retry, options.headers)) {
      refuse(fmt::format("step {} has an unknown key '{}'", body_.steps.size(), key));
    }
  }

  bool take_target(const std::string& key, std::string_view name, std::string_view& used,
                   std::string& target) {
    if (name.empty() || key != name) return false;
    if (!used.empty())
      refuse(fmt::format("step {} has '{}' and '{}'", body_.steps.size(), used, key));
    used = name;
    target = in_.text();
    return true;
  }

  void read_orders() {
    for (in_.enter('['); in_.more(']');) {
      if (body_.orders.size() == limits_.branches_max)
        return refuse(fmt::format("there are more than {} orders", limits_.branches_max));
      auto& order = body_.orders.emplace_back();
      read_object([&](const std::string& key) {
        if (key == "step") {
          order.step = small("orders.step");
        } else if (key == "after") {
          for (in_.enter('['); in_.more(']');) order.after.push_back(small("orders.after"));
        } else {
          refuse(fmt::format("an order has an unknown key '{}'", key));
        }
      });
    }
  }

  void read_row_member(const std::string& key) {
    if (key == "steps") {
      for (in_.enter('['); in_.more(']');) read_row_step();
    } else if (key == "query") {
      row_query_ = small("query");
    } else if (key == "orders") {
      read_row_orders();
    } else if (key == "before_edits") {
      read_before_edits();
    } else {
      read_member(key);
    }
  }

  // What was asked for, not what an operator has made of it. Subscribers are not read.
  void read_before_edits() {
    for (in_.enter('{'); in_.more('}');) {
      const auto number = base::parse_number<std::size_t>(in_.key());
      const auto steps = body_.steps.size();
      read_row_step();
      if (body_.steps.size() == steps) continue;
      if (number && *number >= 1 && *number <= steps)
        body_.steps[*number - 1] = std::move(body_.steps.back());
      body_.steps.pop_back();
    }
  }

  // See `put_step` in store/row.cc.
  void read_row_step() {
    Step step;
    bool is_subscriber = false;
    std::size_t place = 0;
    for (in_.enter('['); in_.more(']'); ++place) {
      switch (place) {
        case 0: step.first = in_.text(); break;
        case 1: step.rollback = in_.text(); break;
        case 2: step.payload = in_.bytes(); break;
        case 3: is_subscriber = read_row_options(step.options); break;
        case 4: step.commit = in_.text(); break;
        case 5: step.branch_id = in_.text(); break;
        default: in_.skip();
      }
    }
    // Who is subscribed is found at the submit.
    if (!is_subscriber) body_.steps.push_back(std::move(step));
  }

  bool read_row_options(StepOptions& options) {
    bool is_subscriber = false;
    if (in_.take_null()) return false;
    read_object([&](const std::string& key) {
      if (key == "subscriber_of") {
        is_subscriber = in_.integer() > 0;
      } else if (!read_option(key, options.request_timeout, options.retry, options.headers)) {
        refuse(fmt::format("a step's options have an unknown key '{}'", key));
      }
    });
    return is_subscriber;
  }

  // Has one element for each step.
  void read_row_orders() {
    std::uint32_t step = 1;
    for (in_.enter('['); in_.more(']'); ++step) {
      Saga::Order order{step, {}};
      for (in_.enter('['); in_.more(']');) order.after.push_back(small("orders"));
      if (!order.after.empty()) body_.orders.push_back(std::move(order));
    }
    if (body_.orders.empty()) body_.orders.push_back({1, {}});
  }

  // The back-check stands among the steps; it has the options of the transaction.
  void take_query_out() {
    if (!row_query_ || *row_query_ >= body_.steps.size()) return;
    auto& steps = body_.steps;
    const auto at = steps.begin() + static_cast<std::ptrdiff_t>(*row_query_);
    body_.query = std::move(at->first);
    body_.shared = std::move(at->options);
    steps.erase(at);
  }

  std::uint32_t small(std::string_view field) {
    const auto value = in_.integer();
    if (value >= 0 && value <= UINT32_MAX) return static_cast<std::uint32_t>(value);
    refuse(fmt::format("{} is {}", field, value));
    return 0;
  }

  base::JsonCursor in_;
  const Limits& limits_;
  BodyForm form_ = BodyForm::posted;
  std::optional<std::uint32_t> row_query_;
  Body body_;
  std::string last_;  // the key that was read last
  std::optional<Error> wrong_;
};

// ---- what a row says, as it may have been asked for

// The options that the transaction may have had: those of the back-check, or else those that all
// steps have. A row says for each step which options hold for it.
StepOptions shared_by_all(const std::vector<Step>& steps) {
  if (steps.empty()) return {};
  auto shared = steps.front().options;
  for (const auto& [used, first, commit, rollback, payload, branch_id, options] : steps) {
    if (options.request_timeout != shared.request_timeout) shared.request_timeout.reset();
    if (options.retry != shared.retry) shared.retry.reset();
    const auto& mine = options.headers;
    std::size_t same = 0;
    while (same < std::min(mine.size(), shared.headers.size()) &&
           mine[same] == shared.headers[same])
      ++same;
    shared.headers.resize(same);
  }
  return shared;
}

// Its headers come first, and all of the transaction's have a limit of their own.
void limit_headers(std::vector<Header>& headers) {
  std::size_t bytes = 0;
  std::size_t count = 0;
  for (const auto& [name, value] : headers) {
    bytes += name.size() + value.size();
    if (bytes > core::kHeaderBytesMax) break;
    ++count;
  }
  headers.resize(count);
}

void share_options(Body& body) {
  auto shared = body.shared ? std::move(*body.shared) : shared_by_all(body.steps);
  limit_headers(shared.headers);
  for (auto& step : body.steps) {
    auto& own = step.options;
    if (own.request_timeout == shared.request_timeout) own.request_timeout.reset();
    if (own.retry == shared.retry) own.retry.reset();
    const auto count = static_cast<std::ptrdiff_t>(shared.headers.size());
    if (own.headers.size() >= shared.headers.size())
      own.headers.erase(own.headers.begin(), own.headers.begin() + count);
  }
  body.settings.request_timeout = shared.request_timeout;
  body.settings.retry = shared.retry;
  body.settings.headers = std::move(shared.headers);
}

Result<> check_names(const Body& body, Mode mode) {
  const auto names = step_names(mode);
  for (std::size_t i = 0; i < body.steps.size(); ++i) {
    const auto& used = body.steps[i].used;
    for (const auto& [given, known] : {std::pair{used.first, names.first},
                                       {used.commit, names.commit},
                                       {used.rollback, names.rollback}}) {
      if (!given.empty() && given != known)
        return base::invalid(fmt::format("step {} of a {} has no '{}'", i + 1, body.mode, given));
    }
  }
  return {};
}

// What the other modes have and this one has not.
Result<> check_fields(const Body& body, Mode mode) {
  const bool is_saga = mode == Mode::saga;
  const bool is_msg = mode == Mode::msg;
  const auto refuse = [&](std::string_view field) -> Result<> {
    return base::invalid(fmt::format("a {} has no '{}'", body.mode, field));
  };
  if (body.query && !is_msg) return refuse("query");
  if (body.concurrent && has_order(mode)) return refuse("concurrent");
  if (body.in_order && !has_order(mode)) return refuse("in_order");
  if (!body.orders.empty() && !is_saga) return refuse("orders");
  if (body.delay_ms && !is_saga && !is_msg) return refuse("delay_ms");
  for (const auto& step : body.steps)
    if (!step.branch_id.empty() && (is_saga || is_msg)) return refuse("branch_id");
  return {};
}

core::Draft draft_of(const Body& body, Mode mode) {
  core::Draft draft{.mode = mode, .settings = &body.settings};
  draft.is_concurrent = body.concurrent;
  const bool at_once = has_order(mode) ? !body.in_order : body.concurrent;
  draft.shape = !body.orders.empty() ? core::Shape::graph
                : at_once            ? core::Shape::concurrent
                                     : core::Shape::sequential;
  draft.delay = Millis{body.delay_ms.value_or(0)};
  draft.orders = mode == Mode::saga ? &body.orders : nullptr;
  for (const auto& step : body.steps)
    draft.steps.push_back({.first = step.first,
                           .commit = step.commit,
                           .rollback = step.rollback,
                           .payload = step.payload,
                           .options = &step.options,
                           .branch_id = step.branch_id});
  static const StepOptions kNoOptions;
  if (body.query && !body.query->empty())
    draft.steps.push_back({.first = *body.query, .options = &kNoOptions, .is_query = true});
  return draft;
}

Result<Mode> mode_in(const Body& body) {
  const auto mode = mode_from(body.mode);
  if (!mode || *mode == Mode::workflow) {
    return base::invalid(
        fmt::format("the mode is '{}', it must be saga, tcc, xa or msg", body.mode));
  }
  BELAY_TRY(check_names(body, *mode));
  BELAY_TRY(check_fields(body, *mode));
  return *mode;
}

Result<core::Definition> definition_of(const Body& body, const std::string& gid,
                                       const Limits& limits, const hook::Hooks* hooks) {
  const auto mode = mode_in(body);
  if (!mode) return mode.error();
  const auto draft = draft_of(body, *mode);
  auto definition = core::define(draft, gid.empty() ? new_gid() : gid, core::Entry::submit, limits);
  if (definition && hooks != nullptr) BELAY_TRY(check_targets(*hooks, draft));
  return definition;
}

// ---- the body as a description

template <class Described>
Described with_settings(const Settings& settings) {
  Described described(settings.gid);
  if (settings.timeout_to_fail) described.timeout_to_fail(*settings.timeout_to_fail);
  if (settings.request_timeout) described.request_timeout(*settings.request_timeout);
  if (settings.retry) described.retry(*settings.retry);
  for (const auto& [name, value] : settings.headers) described.header(name, value);
  described.custom_data(settings.custom_data).trace_parent(settings.trace_parent);
  return described;
}

Saga saga_of(const Body& body) {
  auto saga = with_settings<Saga>(body.settings);
  for (const auto& step : body.steps)
    saga.step(step.first, step.rollback, step.payload, step.options);
  if (body.concurrent) saga.concurrent();
  for (const auto& order : body.orders) saga.order(order.step, order.after);
  return saga.delay(Millis{body.delay_ms.value_or(0)});
}

Msg msg_of(const Body& body) {
  auto msg = with_settings<Msg>(body.settings);
  for (const auto& step : body.steps) msg.to(step.first, step.payload, step.options);
  if (body.query) msg.query(*body.query);
  if (body.concurrent) msg.concurrent();
  return msg.delay(Millis{body.delay_ms.value_or(0)});
}

template <class Described>
Described two_phase_of(const Body& body) {
  auto described = with_settings<Described>(body.settings);
  for (const auto& step : body.steps)
    described.branch(TwoPhaseBranch{.first = step.first,
                                    .commit = step.commit,
                                    .rollback = step.rollback,
                                    .payload = step.payload,
                                    .options = step.options,
                                    .branch_id = step.branch_id});
  if (body.in_order) described.in_order();
  return described;
}

OwnedDescription description_of(const Body& body, Mode mode) {
  switch (mode) {
    case Mode::tcc: return OwnedDescription(two_phase_of<Tcc>(body));
    case Mode::xa: return OwnedDescription(two_phase_of<Xa>(body));
    case Mode::msg: return OwnedDescription(msg_of(body));
    default: return OwnedDescription(saga_of(body));
  }
}

}  // namespace

Result<std::string> body_of(Description description) {
  const auto draft = core::draft_of(description);
  if (draft.mode == Mode::workflow)
    return Error{ErrorCode::unsupported, "a workflow needs a caller who goes on with it"};
  return Writer().write(draft);
}

Result<core::Definition> definition_from(const std::string& text, const std::string& gid,
                                         const Limits& limits, const hook::Hooks* hooks) {
  const auto body = BodyReader(text, limits).read();
  if (!body) return body.error();
  return definition_of(*body, gid, limits, hooks);
}

Result<JsonSubmit> submit_from(std::string_view text, const Limits& limits,
                               const hook::Hooks& hooks) {
  const auto body = BodyReader(text, limits).read(BodyForm::with_gid);
  if (!body) return body.error();
  const auto& gid = body->settings.gid;
  auto definition = definition_of(*body, gid, limits, &hooks);
  if (!definition) return definition.error();
  return JsonSubmit{std::move(*definition), gid.empty()};
}

}  // namespace belay::api

namespace belay {

Result<std::string> submit_text(const TransactionRow& row) {
  if (row.mode == Mode::workflow) {
    return Error{
        ErrorCode::unsupported,
        fmt::format("{} is a workflow, which needs a caller who goes on with it", row.gid)};
  }
  Limits limits;
  limits.branches_max = SIZE_MAX;  // it was accepted by the limits of its engine
  auto body = api::BodyReader(row.definition, limits).read_row(row.mode);
  if (!body) {
    return Error{ErrorCode::corrupt, fmt::format("the definition of {} cannot be read: {}", row.gid,
                                                 body.error().detail)};
  }
  api::share_options(*body);
  return api::Writer().write(api::draft_of(*body, row.mode), row.gid);
}

Result<OwnedDescription> description_from(std::string_view text, const Limits& limits) {
  const auto body = api::BodyReader(text, limits).read(api::BodyForm::with_gid);
  if (!body) return body.error();
  const auto mode = api::mode_in(*body);
  if (!mode) return mode.error();
  const auto& gid = body->settings.gid;
  const auto definition = core::define(api::draft_of(*body, *mode), gid.empty() ? new_gid() : gid,
                                       core::Entry::submit, limits);
  if (!definition) return definition.error();
  return api::description_of(*body, *mode);
}

}  // namespace belay
