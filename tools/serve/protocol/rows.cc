#include "serve/protocol/rows.h"

#include <cstdint>
#include <map>
#include <utility>

#include "base/base64.h"
#include "base/secrets.h"
#include "serve/protocol/reason.h"
#include "serve/protocol/times.h"

namespace belay::protocol {
namespace {

// The places of a step's parts in a definition: see the schema of the state file.
enum StepPlace : std::size_t { kFirst = 0, kRollback = 1, kPayload = 2, kOptions = 3, kCommit = 4 };
// The payload of a topic is in the answer once for each subscriber, as base64; this is the maximum
// for such payloads.
constexpr std::size_t kSharedBytesMax = std::size_t{32} * 1024 * 1024;

Json parse_definition(const TransactionRow& row) {
  auto json = Json::parse(row.definition, nullptr, false);
  return json.is_object() ? json : Json::object();
}

const Json& steps_of(const Json& definition) {
  static const Json kNone = Json::array();
  const auto steps = definition.find("steps");
  return steps != definition.end() && steps->is_array() ? *steps : kNone;
}

const Json& part_of(const Json& step, std::size_t place) {
  static const Json kNone;
  return step.is_array() && place < step.size() ? step[place] : kNone;
}

// The base64 form of a value that was bytes: a text, or {"base64": …}.
std::string base64_of(const Json& value) {
  if (value.is_string()) return base::to_base64(value.get_ref<const std::string&>());
  return value.is_object() ? value.value("base64", std::string()) : std::string();
}

std::string bytes_of(const Json& value) {
  if (value.is_string()) return value.get<std::string>();
  return base::from_base64(base64_of(value)).value_or(std::string());
}

// An id exceeds a client's 32 bits only after billions of transactions; then it is 0, as with dtm's
// stores that have no numbers.
std::int64_t client_id(std::int64_t id) { return id > INT32_MAX ? 0 : id; }

void put_unless_empty(Json& json, const char* name, std::string text) {
  if (!text.empty()) json[name] = std::move(text);
}

std::int64_t seconds_of(const Json& object, const char* name) {
  const auto millis = object.find(name);
  return millis != object.end() && millis->is_number_integer() ? millis->get<std::int64_t>() / 1'000
                                                               : 0;
}

void put_step_options(Json& options, const Json& of_step, Secrets secrets) {
  if (const auto timeout = seconds_of(of_step, "request_timeout_ms"); timeout != 0)
    options["request_timeout"] = timeout;
  if (const auto retry = of_step.find("retry"); retry != of_step.end() && retry->is_object()) {
    if (const auto interval = seconds_of(*retry, "ongoing_interval_ms"); interval != 0)
      options["retry_interval"] = interval;
    if (const auto limit = retry->value("limit", std::int64_t{0}); limit > 1)
      options["retry_limit"] = limit - 1;
  }
  const auto headers = of_step.find("headers");
  if (headers == of_step.end() || !headers->is_array()) return;
  for (const auto& header : *headers) {
    if (header.size() != 2 || !header[0].is_string()) continue;
    const auto name = header[0].get<std::string>();
    const bool hides = secrets == Secrets::hidden && base::is_secret_name(name);
    options["branch_headers"][name] = hides ? Json(base::kHidden) : header[1];
  }
}

Json options_of(const Json& definition, bool concurrent, Secrets secrets) {
  Json options{{"concurrent", concurrent}};
  if (const auto timeout = seconds_of(definition, "timeout_to_fail_ms"); timeout != 0)
    options["timeout_to_fail"] = timeout;
  for (const auto& step : steps_of(definition)) {
    const auto& of_step = part_of(step, kOptions);
    if (!of_step.is_object()) continue;
    put_step_options(options, of_step, secrets);
    break;
  }
  return options;
}

// The URL of a message's back-check or of a workflow's callback.
std::string query_prepared_of(const Json& definition, Secrets secrets) {
  const auto query = definition.find("query");
  if (query == definition.end() || !query->is_number_unsigned()) return {};
  const auto& steps = steps_of(definition);
  const auto place = query->get<std::size_t>();
  if (place >= steps.size() || !part_of(steps[place], kFirst).is_string()) return {};
  return shown_url(part_of(steps[place], kFirst).get_ref<const std::string&>(), secrets);
}

// The first target that is not called by plain HTTP says it: nothing is stored about the door.
std::string_view protocol_of(const Json& definition) {
  for (const auto& step : steps_of(definition)) {
    for (const auto place : {kFirst, kRollback, kCommit}) {
      const auto& target = part_of(step, place);
      if (!target.is_string()) continue;
      const auto protocol = protocol_of_target(target.get_ref<const std::string&>());
      if (protocol != kPlainProtocol) return protocol;
    }
  }
  return kPlainProtocol;
}

void put_end(Json& json, Status status, TimePoint at) {
  if (status == Status::succeed) json["finish_time"] = to_rfc3339(at);
  if (status == Status::failed) json["rollback_time"] = to_rfc3339(at);
}

bool is_listed(const BranchRow& row) {
  switch (row.op) {
    // In dtm the caller itself makes this call: listed only if belay makes it.
    case Op::try_:
    case Op::prepare: return !row.target.empty();
    case Op::query: return false;
    case Op::action: return !row.target.starts_with(kTopicPrefix);  // its subscribers are listed
    default: return true;
  }
}

std::string_view branch_status(const BranchRow& row) {
  const bool ended = row.status == "succeed" || row.status == "failed";
  return ended ? std::string_view(row.status) : "prepared";
}

// The undo comes first, as in dtm: compensate, action; cancel, confirm; rollback, commit.
int place_of(Op op) {
  switch (op) {
    case Op::try_:
    case Op::prepare: return 0;
    case Op::compensate:
    case Op::cancel:
    case Op::rollback: return 1;
    default: return 2;
  }
}

// The time of the final answer of each operation of each branch.
using EndTimes = std::map<std::pair<std::string, std::string>, TimePoint>;

EndTimes end_times(const std::vector<TimelineRow>& timeline) {
  EndTimes times;
  for (const auto& row : timeline) {
    if (row.event == "answered") times[{row.branch_id, row.op}] = row.at;
  }
  return times;
}

// The payload of each step, as base64; a topic's subscribers share the payload of their step.
class Payloads {
 public:
  explicit Payloads(const Json& definition) {
    for (const auto& step : steps_of(definition)) {
      const auto& options = part_of(step, kOptions);
      const auto parent = options.is_object() ? options.value("subscriber_of", std::size_t{0}) : 0;
      const bool shares = parent > 0 && parent <= of_step_.size();
      if (!shares) texts_.push_back(base64_of(part_of(step, kPayload)));
      of_step_.push_back({shares ? of_step_[parent - 1].text : texts_.size() - 1, shares});
    }
  }
  // Returns the payload of a step. The result is also empty for a subscriber if the answer already
  // has the maximum of such payloads.
  std::string_view take(std::size_t step) {
    if (step >= of_step_.size()) return {};
    const std::string_view text = texts_[of_step_[step].text];
    if (!of_step_[step].is_shared) return text;
    if (shared_bytes_ + text.size() > kSharedBytesMax) return {};
    shared_bytes_ += text.size();
    return text;
  }

 private:
  struct Place {
    std::size_t text;
    bool is_shared;
  };
  std::vector<std::string> texts_;
  std::vector<Place> of_step_;
  std::size_t shared_bytes_ = 0;
};

std::string shown_text(const std::string& text, Secrets secrets) {
  return secrets == Secrets::hidden ? base::without_secrets(text) : text;
}

Json branch_json(const TransactionRow& transaction, const BranchRow& row, std::string_view payload,
                 const EndTimes& times, Secrets secrets) {
  const auto status = branch_status(row);
  const auto ended = times.find({row.branch_id, std::string(name_of(row.op))});
  Json json{
      {"id", 0},
      {"gid", transaction.gid},
      {"branch_id", row.branch_id},
      {"op", name_of(row.op)},
      {"status", status},
      {"create_time", to_rfc3339(transaction.created_at)},
      {"update_time", to_rfc3339(ended == times.end() ? transaction.created_at : ended->second)}};
  put_unless_empty(json, "url", shown_url(row.target, secrets));
  if (!payload.empty()) json["bin_data"] = payload;
  if (ended != times.end() && status == "succeed") put_end(json, Status::succeed, ended->second);
  if (ended != times.end() && status == "failed") put_end(json, Status::failed, ended->second);
  return json;
}

Json branches_json(const WholeTransaction& whole, const Json& definition, Secrets secrets) {
  const auto& rows = whole.branches;
  const auto times = end_times(whole.timeline);
  Payloads payloads(definition);
  auto branches = Json::array();
  std::size_t step = 0;
  for (std::size_t i = 0; i < rows.size();) {
    auto end = i + 1;
    while (end < rows.size() && rows[end].branch_id == rows[i].branch_id) ++end;
    for (int place = 0; place < 3; ++place) {
      for (auto j = i; j < end; ++j) {
        if (place_of(rows[j].op) == place && is_listed(rows[j]))
          branches.push_back(branch_json(whole.row, rows[j], payloads.take(step), times, secrets));
      }
    }
    i = end;
    ++step;
  }
  return branches;
}

Json progress_json(const WholeTransaction& whole) {
  auto branches = Json::array();
  for (const auto& [progress, at] : whole.progress) {
    Json json{{"id", 0},
              {"gid", whole.row.gid},
              {"branch_id", progress.branch_id},
              {"op", progress.op},
              {"status", progress.status},
              {"create_time", to_rfc3339(at)},
              {"update_time", to_rfc3339(at)}};
    put_unless_empty(json, "bin_data", base::to_base64(progress.data));
    branches.push_back(std::move(json));
  }
  return branches;
}

Json transaction_with(const TransactionRow& row, const Json& definition, Secrets secrets) {
  const bool concurrent = row.mode == Mode::msg && definition.value("concurrent", false);
  Json json{{"id", client_id(row.id)},
            {"gid", row.gid},
            {"trans_type", name_of(row.mode)},
            {"status", name_of(row.status)},
            {"protocol", protocol_of(definition)},
            {"create_time", to_rfc3339(row.created_at)},
            {"update_time", to_rfc3339(row.updated_at)},
            {"concurrent", concurrent},
            {"options", text_of(options_of(definition, concurrent, secrets))}};
  if (row.finished_at) put_end(json, row.status, *row.finished_at);
  if (row.due_at) json["next_cron_time"] = to_rfc3339(*row.due_at);
  put_unless_empty(json, "query_prepared", query_prepared_of(definition, secrets));
  put_unless_empty(json, "result", row.result);
  if (row.status == Status::aborting || row.status == Status::failed)
    put_unless_empty(json, "rollback_reason", shown_text(client_reason(row.last_error), secrets));
  if (const auto data = definition.find("custom_data"); data != definition.end())
    put_unless_empty(json, "custom_data", bytes_of(*data));
  return json;
}

}  // namespace

std::string shown_url(std::string_view target, Secrets secrets) {
  const auto url = url_of(target);
  return secrets == Secrets::hidden ? base::without_secrets(url) : std::string(url);
}

Json transaction_json(const TransactionRow& row, Secrets secrets) {
  return transaction_with(row, parse_definition(row), secrets);
}

Result<std::optional<StoredTransaction>> read_transaction_rows(Reader& reader,
                                                               const std::string& gid,
                                                               Secrets secrets) {
  using Found = std::optional<StoredTransaction>;
  const auto whole = reader.read(gid);
  if (!whole) {
    if (whole.error().code == ErrorCode::not_found) return Found();
    return whole.error();
  }
  const auto definition = parse_definition(whole->row);
  auto branches = whole->row.mode == Mode::workflow ? progress_json(*whole)
                                                    : branches_json(*whole, definition, secrets);
  return Found(
      StoredTransaction{transaction_with(whole->row, definition, secrets), std::move(branches)});
}

Json new_transaction(const Report& report, const TransactionRequest& request) {
  const auto created = to_rfc3339(report.created_at());
  Json json{{"id", 0},
            {"gid", report.gid()},
            {"trans_type", name_of(report.mode())},
            {"status", name_of(report.status())},
            {"protocol", request.protocol.empty() ? "http" : request.protocol},
            {"create_time", created},
            {"update_time", created},
            {"concurrent", request.concurrent}};
  put_unless_empty(json, "query_prepared", request.query_prepared);
  put_unless_empty(json, "custom_data", request.custom_data);
  return json;
}

ApiResult too_many_reads() {
  return ApiResult::overload("too many queries are waiting; try again later");
}

}  // namespace belay::protocol
