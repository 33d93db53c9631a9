#include "barrier/guard.h"

#include <fmt/format.h>

#include <cstdint>
#include <exception>
#include <optional>
#include <string>

#include "base/utf8.h"
#include "belay/barrier.h"

namespace belay::barrier {
namespace {

// A transaction that loses a race finds the winner's row at its next attempt; more attempts are
// needed only with many competitors.
constexpr int kBeginningsMax = 5;

// The widths of the columns in dtm's table, in characters; this code counts bytes.
constexpr std::size_t kNameBytesMax = 128;
constexpr std::size_t kWordBytesMax = 45;

enum class Verdict : std::uint8_t {
  run,
  skip,
  refused,  // a message's back-check came first, and its answer stands
};

std::optional<Error> check(std::string_view column, std::string_view value, std::size_t bytes_max) {
  if (!value.empty() && value.size() <= bytes_max) return std::nullopt;
  return Error{ErrorCode::invalid_argument,
               fmt::format("{} has {} bytes, the barrier's column takes 1 to {}", column,
                           value.size(), bytes_max)};
}

// Checked before the database sees the row: a database that truncates long values would take two
// gids for one.
std::optional<Error> check(const Row& row) {
  if (auto error = check("the transaction's type", row.trans_type, kWordBytesMax)) return error;
  if (auto error = check("the gid", row.gid, kNameBytesMax)) return error;
  if (auto error = check("the branch id", row.branch_id, kNameBytesMax)) return error;
  return check("the op", row.op, kWordBytesMax);
}

Row with_op(Row row, std::string_view op) {
  row.op = op;
  return row;
}

Result<Verdict> enter(Local& database, const Row& own) {
  bool undoes_nothing = false;
  if (const auto undone = undone_by(own.op); !undone.empty()) {
    const auto is_new = database.insert(with_op(own, undone));
    if (!is_new) return is_new.error();
    undoes_nothing = *is_new;
  }
  const auto is_new = database.insert(own);
  if (!is_new) return is_new.error();
  if (undoes_nothing) return Verdict::skip;
  if (*is_new) return Verdict::run;
  if (own.op != kMsg) return Verdict::skip;
  const auto reason = database.reason(own);
  if (!reason) return reason.error();
  return *reason == kRollback ? Verdict::refused : Verdict::skip;
}

// Begins a transaction and runs `step` in it. If the transaction lost a race, it is begun again,
// since no work was done yet. After an error no transaction is open.
template <class Step>
auto begin_with(Local& database, Step step) -> decltype(step()) {
  for (int beginning = 1;; ++beginning) {
    if (const auto begun = database.begin(); !begun) return begun.error();
    auto result = step();
    if (result) return result;
    database.rollback();
    if (result.error().code != ErrorCode::busy || beginning == kBeginningsMax) return result;
  }
}

// Every call of a host's function goes through this one: an exception becomes an outcome.
Outcome enter_work(const std::function<Outcome()>& work) noexcept {
  try {
    return work();
  } catch (const std::exception& thrown) {
    return Outcome::unknown(std::string("the work threw: ") + thrown.what());
  } catch (...) {
    return Outcome::unknown("the work threw");
  }
}

}  // namespace

std::string_view undone_by(std::string_view op) {
  if (op == "compensate" || op == kRollback) return "action";
  if (op == "cancel") return "try";
  return {};
}

Outcome guarded(Local& database, const Row& own, const std::function<Outcome()>& work) {
  if (const auto error = check(own)) return Outcome::unknown(error->detail);
  const auto verdict = begin_with(database, [&] { return enter(database, own); });
  if (!verdict) return Outcome::unknown(verdict.error().detail);
  if (*verdict == Verdict::refused) {
    database.rollback();
    return Outcome::failure("the message's back-check came first and said that it is given up");
  }
  auto outcome = *verdict == Verdict::run ? enter_work(work) : Outcome::success();
  if (outcome.kind() != OutcomeKind::success) {
    database.rollback();
    return outcome;
  }
  if (const auto committed = database.commit(own); !committed) {
    database.rollback();
    return Outcome::unknown(committed.error().detail);
  }
  return outcome;
}

Outcome query_prepared(Local& database, std::string_view gid) {
  const Row row{.gid = gid,
                .branch_id = kMsgBranch,
                .op = kMsg,
                .barrier_id = kMsgBarrier,
                .trans_type = kMsg,
                .reason = kRollback};
  if (const auto error = check(row)) return Outcome::unknown(error->detail);
  const auto reason = begin_with(database, [&]() -> Result<std::string> {
    const auto is_new = database.insert(row);
    if (!is_new) return is_new.error();
    if (*is_new) return std::string(kRollback);
    return database.reason(row);
  });
  if (!reason) return Outcome::unknown(reason.error().detail);
  // The caller's own transaction is barred only once this transaction is committed.
  if (const auto committed = database.commit(row); !committed) {
    database.rollback();
    return Outcome::unknown(committed.error().detail);
  }
  if (*reason == kRollback) return Outcome::failure("the caller's own transaction did not commit");
  return Outcome::success();
}

Result<> check_message(const Local& database, std::string_view gid) {
  if (database.in_transaction()) {
    return Error{ErrorCode::misuse, "the connection is inside a transaction already"};
  }
  if (gid.empty()) return {};
  if (const auto error = check("the gid", gid, kNameBytesMax)) return *error;
  if (base::is_text(gid)) return {};
  return Error{ErrorCode::invalid_argument,
               "the gid is not UTF-8, or has a NUL: the barrier's column does not take it"};
}

Result<> create_table(Local& database) {
  const auto there = database.has_table();
  if (!there) return there.error();
  if (*there) return {};
  const auto created = database.create_table();
  if (created) return {};
  // Another process may have created the table at the same moment.
  const auto there_now = database.has_table();
  return there_now && *there_now ? Result<>() : created;
}

}  // namespace belay::barrier
