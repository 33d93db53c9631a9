#include "belay/requests.h"

#include <fmt/format.h>

#include <utility>

#include "api/posted_body.h"
#include "api/request_body.h"
#include "base/invalid.h"
#include "core/draft.h"
#include "sqlite/sqlite.h"
#include "store/first_look.h"
#include "store/held_file.h"
#include "store/lock_file.h"
#include "store/posted.h"
#include "store/schema.h"

namespace belay {
namespace {

constexpr std::size_t kTextBytesMax = 1'024;
constexpr std::string_view kInsert =
    "INSERT INTO main.belay_requests(verb, gid, body, reason, asked_by) "
    "VALUES(?1, nullif(?2, ''), nullif(?3, ''), nullif(?4, ''), nullif(?5, ''))";
constexpr std::string_view kAnswer =
    "SELECT answered_at IS NOT NULL, answer, detail FROM main.belay_requests WHERE id = ?1";
constexpr std::string_view kWithdraw =
    "DELETE FROM main.belay_requests WHERE id = ?1 AND answered_at IS NULL";

// Whoever else writes to the file has done so for as long as this connection waits.
Error told(sqlite3* database, Error error) {
  if ((sqlite3_errcode(database) & 0xff) == SQLITE_BUSY)
    return {ErrorCode::busy, fmt::format("others write to the file: {}", error.detail)};
  return error;
}

struct Row {
  std::string_view verb{};
  std::string_view gid{};
  std::string_view body{};
  std::string_view reason{};
  std::string_view asked_by{};
};

Result<RequestId> insert(sqlite3* database, const Row& row) {
  auto insert = sqlite::Statement::prepare(database, kInsert);
  if (!insert) return insert.error();
  insert->bind_text(1, row.verb);
  insert->bind_text(2, row.gid);
  insert->bind_text(3, row.body);
  insert->bind_text(4, row.reason);
  insert->bind_text(5, row.asked_by);
  if (const auto done = insert->run(); !done) return told(database, done.error());
  return RequestId{sqlite3_last_insert_rowid(database)};
}

// The file must have the table.
Result<> check_version(sqlite3* database) {
  auto version = sqlite::Statement::prepare(database, "PRAGMA main.user_version");
  if (!version) return version.error();
  auto row = version->step();
  if (!row) return row.error();
  if (version->integer(0) >= store::kRequestsSince) return {};
  return Error{ErrorCode::unsupported,
               "no engine of this belay has opened the state file yet, so it takes no requests"};
}

Result<> check_text(std::string_view field, std::string_view text) {
  if (text.size() <= kTextBytesMax) return {};
  return base::invalid(
      fmt::format("the {} has {} bytes, the limit is {}", field, text.size(), kTextBytesMax));
}

}  // namespace

void Outbox::install_busy_handler() noexcept {
  sqlite::wait_for_others(database_, sqlite::Patience::write);
}

Result<RequestId> Outbox::submit(Description description, const Limits& limits) {
  auto body = api::body_of(description);
  if (!body) return body.error();
  const auto& gid = core::settings_of(description).gid;
  if (auto checked = api::definition_from(*body, gid, limits); !checked) return checked.error();
  BELAY_TRY(check_version(database_));
  return insert(database_, {.verb = "submit", .gid = gid, .body = *body});
}

class Requests::Impl {
 public:
  explicit Impl(sqlite::Database database) : database_(std::move(database)) {}

  sqlite3* handle() { return database_.handle(); }

 private:
  sqlite::Database database_;
};

Requests::Requests(std::unique_ptr<Impl> impl) noexcept : impl_(std::move(impl)) {}
Requests::Requests(Requests&&) noexcept = default;
Requests& Requests::operator=(Requests&&) noexcept = default;
Requests::~Requests() = default;

Result<Requests> Requests::open(std::string_view path) {
  auto canonical = store::canonical_path(path);
  if (!canonical) return canonical.error();
  const auto& name = *canonical;
  auto looked = store::look_first(name, {});
  if (!looked) return looked.error();
  if (!*looked) return Error{ErrorCode::not_found, fmt::format("there is no state file {}", name)};
  BELAY_TRY(store::check_place(name));
  auto database = sqlite::Database::open(name, SQLITE_OPEN_READWRITE, {});
  if (!database) return database.error();
  // The log of a file that no engine has open is the next engine's.
  database->checkpoint_on_close(false);
  database->wait_for_others(sqlite::Patience::write);
  if (auto kind = store::identify(*database); !kind) return kind.error();
  BELAY_TRY(check_version(database->handle()));
  BELAY_TRY(database->run("PRAGMA synchronous=FULL"));
  return Requests(std::make_unique<Impl>(std::move(*database)));
}

Result<RequestId> Requests::post(const Request& request) {
  if (!impl_) return Error{ErrorCode::misuse, "this object was moved from"};
  BELAY_TRY(check_text("gid", request.gid));
  BELAY_TRY(check_text("reason", request.reason));
  BELAY_TRY(check_text("name of who asks", request.asked_by));
  BELAY_TRY(check_text("branch_id", request.branch_id));
  BELAY_TRY(check_text("target", request.target));
  BELAY_TRY(check_text("topic", request.subscription.topic));
  BELAY_TRY(check_text("subscriber", request.subscription.target));
  BELAY_TRY(check_text("remark", request.subscription.remark));
  const auto body = api::body_of(request);
  if (body.size() > store::kPostedBodyMax) {
    return Error{ErrorCode::definition_limit,
                 fmt::format("the request has {} bytes, the limit is {}", body.size(),
                             store::kPostedBodyMax)};
  }
  return insert(impl_->handle(), {.verb = name_of(request.verb),
                                  .gid = request.gid,
                                  .body = body,
                                  .reason = request.reason,
                                  .asked_by = request.asked_by});
}

Result<RequestId> Requests::submit(Description description, const Limits& limits) {
  if (!impl_) return Error{ErrorCode::misuse, "this object was moved from"};
  return Outbox(impl_->handle()).submit(description, limits);
}

Result<std::optional<RequestAnswer>> Requests::answer(RequestId id) {
  if (!impl_) return Error{ErrorCode::misuse, "this object was moved from"};
  auto find = sqlite::Statement::prepare(impl_->handle(), kAnswer);
  if (!find) return find.error();
  find->bind(1, id);
  auto row = find->step();
  if (!row) return row.error();
  if (!*row) return Error{ErrorCode::not_found, fmt::format("there is no request {}", id)};
  if (find->integer(0) == 0) return std::optional<RequestAnswer>();
  RequestAnswer answer;
  const auto name = find->bytes(1);
  if (name != ports::kPostedTaken) {
    answer.refused =
        Error{error_code_from(name).value_or(ErrorCode::unsupported), std::string(find->bytes(2))};
  }
  return std::optional(std::move(answer));
}

Result<bool> Requests::withdraw(RequestId id) {
  if (!impl_) return Error{ErrorCode::misuse, "this object was moved from"};
  auto remove = sqlite::Statement::prepare(impl_->handle(), kWithdraw);
  if (!remove) return remove.error();
  remove->bind(1, id);
  if (const auto done = remove->run(); !done) return told(impl_->handle(), done.error());
  if (sqlite3_changes(impl_->handle()) != 0) return true;
  auto answered = answer(id);
  if (!answered) return answered.error();
  return false;
}

}  // namespace belay
