#include "source/source_of.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <utility>

#include "base/percent.h"
#include "view/hide.h"
#include "view/rows_from.h"
#include "view/text.h"

namespace belay::tool {
namespace {

constexpr std::uint32_t kPageMax = 500;  // rows that a server gives at once
constexpr Millis kReadTimeout{30'000};

class Parameters {
 public:
  void add(std::string_view name, std::string_view value) {
    text_ += text_.empty() ? '?' : '&';
    text_.append(name).append("=");
    base::append_percent_encoded(text_, value);
  }
  const std::string& text() const { return text_; }

 private:
  std::string text_;
};

std::string parameters_of(const Filter& filter, const std::string& host = {}) {
  Parameters parameters;
  const auto flag = [&](const char* name, const std::optional<bool>& value) {
    if (value) parameters.add(name, *value ? "true" : "false");
  };
  const auto span = [&](const char* name, const std::optional<Millis>& value) {
    if (value) parameters.add(name, std::to_string(value->count()));
  };
  if (filter.status) parameters.add("status", name_of(*filter.status));
  if (filter.mode) parameters.add("mode", name_of(*filter.mode));
  flag("finished", filter.finished);
  flag("stuck", filter.stuck);
  span("older_than_ms", filter.older_than);
  span("newer_than_ms", filter.newer_than);
  if (!filter.target.empty()) parameters.add("target", filter.target);
  if (!host.empty()) parameters.add("host", host);
  if (!filter.gid_prefix.empty()) parameters.add("gid_prefix", filter.gid_prefix);
  if (filter.before_id != 0) parameters.add("before", std::to_string(filter.before_id));
  parameters.add("limit", std::to_string(std::min(filter.limit, kPageMax)));
  return parameters.text();
}

std::optional<WholeTransaction> stuck_from(const Json& object) {
  if (!object.is_object() || !object.contains("transaction")) return std::nullopt;
  auto row = transaction_row_from(object.at("transaction"));
  auto branches = rows_from(object, "branches", &branch_row_from);
  if (!row || !branches) return std::nullopt;
  return WholeTransaction{std::move(*row), std::move(*branches), {}, {}};
}

std::string path_of(const std::string& gid) {
  std::string path = "transactions/";
  base::append_percent_encoded(path, gid);
  return path;
}
std::string with_payloads(const std::string& gid) { return path_of(gid) + "?payloads=true"; }

std::optional<WholeTransaction> transaction_from(const Json& object, const std::string& gid) {
  auto whole = whole_transaction_from(object);
  return whole && whole->row.gid == gid ? std::move(whole) : std::nullopt;
}

// A server that does not know the types of messages answers without `payloads`.
std::optional<ShownTransaction> shown_from(const Json& object, const std::string& gid) {
  auto whole = transaction_from(object, gid);
  if (!whole) return std::nullopt;
  hide_payloads(*whole);
  if (!object.contains("payloads")) return ShownTransaction{std::move(*whole)};
  auto payloads = rows_from(object, "payloads", &shown_payload_from);
  if (!payloads) return std::nullopt;
  return ShownTransaction{std::move(*whole), std::move(*payloads)};
}

// Pages go to smaller ids, so that they come to an end whatever a server says.
std::optional<std::int64_t> next_in(const Json& object, const Filter& filter) {
  const auto found = object.find("next_before");
  if (found == object.end()) return std::nullopt;
  if (found->is_null()) return 0;
  if (!found->is_number_integer()) return std::nullopt;
  const auto next = found->get<std::int64_t>();
  const bool is_smaller = next > 0 && (filter.before_id == 0 || next < filter.before_id);
  return is_smaller ? std::optional(next) : std::nullopt;
}

class ServerSource final : public Source {
 public:
  explicit ServerSource(Server server) : server_(std::move(server)), name_(server_.shown_url()) {}

  Result<Page> list(const Filter& filter) override {
    return ask<Page>("transactions" + parameters_of(filter),
                     [&filter](const Json& object) -> std::optional<Page> {
                       auto rows = rows_from(object, "transactions", &transaction_row_from);
                       const auto next = next_in(object, filter);
                       if (!rows || !next || rows->size() > filter.limit) return std::nullopt;
                       return Page{std::move(*rows), *next};
                     });
  }

  Result<WholePage> list_stuck(const StuckChoice& choice) override {
    const auto& filter = choice.filter;
    return ask<WholePage>("stuck/transactions" + parameters_of(filter, choice.host),
                          [&filter](const Json& object) -> std::optional<WholePage> {
                            auto rows = rows_from(object, "transactions", &stuck_from);
                            const auto next = next_in(object, filter);
                            if (!rows || !next || rows->size() > filter.limit) return std::nullopt;
                            return WholePage{std::move(*rows), *next};
                          });
  }

  Result<WholeTransaction> read(const std::string& gid) override {
    return ask<WholeTransaction>(
        path_of(gid), [&gid](const Json& object) { return transaction_from(object, gid); });
  }
  // Without payloads if the server keeps them to itself, or if they make its answer too large.
  Result<ShownTransaction> read_shown(const std::string& gid) override {
    auto found = ask<ShownTransaction>(
        with_payloads(gid), [&gid](const Json& object) { return shown_from(object, gid); });
    const auto code = found ? ErrorCode{} : found.error().code;
    if (code != ErrorCode::forbidden && code != ErrorCode::corrupt) return found;
    auto whole = read(gid);
    if (!whole) return whole.error();
    return ShownTransaction{std::move(*whole)};
  }
  Result<WholeTransaction> read_with_payloads(const std::string& gid) override {
    return ask<WholeTransaction>(
        with_payloads(gid), [&gid](const Json& object) { return transaction_from(object, gid); });
  }
  bool hides_secrets() const override { return true; }

  Result<std::vector<Topic>> topics() override { return all("topics", &topic_from); }
  Result<std::vector<Hold>> holds() override { return all("holds", &hold_from); }

  Result<EngineState> engine_state() override {
    auto hosts = all("hosts", &host_from);
    if (!hosts) return hosts.error();
    auto holds = this->holds();
    if (!holds) return holds.error();
    return EngineState{fmt::format("belay serve at {}", name()), std::move(*hosts),
                       std::move(*holds)};
  }

  ExitCode fail(Context& context, const Error& error) const override {
    return failure_ ? refused(context, *failure_) : tool::fail(context, error);
  }
  const std::string& name() const override { return name_; }

 private:
  // `to_value` makes of the answer what is wanted; nothing: it cannot be read.
  template <class T, class Read>
  Result<T> ask(const std::string& path, Read to_value) {
    const auto response = server_.send("GET", kAdminApi + path, "", kReadTimeout);
    if (!response) return failed(silent(response.error()));
    const auto object = object_in(*response);
    if (response->status == 404 && text_in(object, "error") == name_of(ErrorCode::not_found))
      return Error{ErrorCode::not_found, printable(text_in(object, "message"))};
    if (response->status != 200) {
      auto error = failed(refusal_of(*response, ""));
      if (response->status == 403) error.code = ErrorCode::forbidden;
      return error;
    }
    std::optional<T> found = to_value(object);
    if (found) return std::move(*found);
    auto error = failed(unread(*response, ""));
    error.code = ErrorCode::corrupt;
    return error;
  }

  // The array of that name.
  template <class Row>
  Result<std::vector<Row>> all(const char* name, std::optional<Row> (*row_from)(const Json&)) {
    return ask<std::vector<Row>>(
        name, [&](const Json& object) { return rows_from(object, name, row_from); });
  }

  Error failed(Failure failure) {
    failure_ = std::move(failure);
    return Error{ErrorCode::storage, failure_->happened};
  }

  const Server server_;
  const std::string name_;
  std::optional<Failure> failure_;  // of the last question that was not answered
};

}  // namespace

std::unique_ptr<Source> server_source(Server server) {
  return std::make_unique<ServerSource>(std::move(server));
}

}  // namespace belay::tool
