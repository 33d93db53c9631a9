// Writes the lines of an exported file. The first line says how many transactions follow: so all
// rows are looked at twice, and the large columns are read the second time only.
#include <fmt/format.h>

#include <utility>

#include "core/codec.h"
#include "store/matcher.h"
#include "store/reader_impl.h"
#include "store/realms.h"
#include "store/schema.h"
#include "store/topics.h"
#include "store/transfer_lines.h"
#include "store/transfer_row.h"

namespace belay::store {
namespace {

constexpr std::string_view kExportedRows =
    "SELECT id, gid, mode, status, stuck, created_at, updated_at, attempts, last_error, trace_id,"
    " definition_hash, definition, branches, timeline, state, {} FROM main.transaction_rows"
    " WHERE id > 0{} ORDER BY id";
constexpr int kDefinitionColumn = 11;  // the column
constexpr std::string_view kUnanswered =
    "SELECT count(*) FROM main.belay_requests WHERE answered_at IS NULL";

transfer::RowLine read_line(const sqlite::Statement& row) {
  transfer::RowLine line;
  line.id = row.number(0);
  line.gid = row.bytes(1);
  line.mode = static_cast<Mode>(row.integer(2));
  line.status = static_cast<Status>(row.integer(3));
  line.created_at = row.number(5);
  line.updated_at = row.number(6);
  line.attempts = static_cast<std::uint32_t>(row.integer(7));
  line.last_error = row.bytes(8);
  line.trace_id = row.bytes(9);
  line.definition_hash = row.number(10);
  line.definition = row.bytes(kDefinitionColumn);
  line.branches = row.bytes(12);
  line.timeline = row.bytes(13);
  if (!is_final(line.status)) line.snapshot = row.bytes(14);
  line.result = row.bytes(15);
  line.progress = row.bytes(16);
  return line;
}

// A transaction whose newest state is in the log.
Result<transfer::RowLine> render_line(const core::Transaction& transaction,
                                      std::uint32_t stuck_after) {
  auto columns = columns_of(transaction, stuck_after);
  if (!columns) return columns.error();
  transfer::RowLine line;
  line.id = transaction.id;
  line.gid = std::move(columns->row.gid);
  line.mode = transaction.mode();
  line.status = transaction.status;
  line.created_at = transaction.created_at;
  line.updated_at = transaction.updated_at;
  line.attempts = columns->row.attempts;
  line.last_error = std::move(columns->row.last_error);
  line.trace_id = std::move(columns->row.trace_id);
  line.definition_hash = transaction.definition.hash();
  line.definition = std::move(columns->row.definition);
  line.branches = std::move(columns->branches);
  line.timeline = std::move(columns->timeline);
  line.progress = std::move(columns->progress);
  line.result = std::move(columns->row.result);
  if (!transaction.finished()) line.snapshot = core::encode_snapshot(transaction);
  return line;
}

enum class Pass : std::uint8_t { count, write };

class Export {
 public:
  using Take = std::function<bool(std::string_view line)>;
  Export(sqlite::Database& database, Fold& fold, const Filter& filter, std::int64_t now,
         std::uint32_t stuck_after, const Take& take)
      : database_(database),
        changed_(fold.changed()),
        fold_(fold),
        filter_(filter),
        matcher_(filter, now),
        now_(now),
        stuck_after_(stuck_after),
        take_(take) {}

  Result<ExportReport> run() {
    BELAY_TRY(prepare());
    BELAY_TRY(walk(Pass::count));
    auto topics = read_topics(database_);
    if (!topics) return topics.error();
    auto realms = read_realms(database_);
    if (!realms) return realms.error();
    report_.topics = topics->size();
    report_.realms = realms->size();
    BELAY_TRY(hand_out(transfer::line_of(head())));
    for (auto& [name, state] : *topics)
      BELAY_TRY(hand_out(transfer::line_of(transfer::TopicLine{name, std::move(state)})));
    for (const auto& realm : *realms) BELAY_TRY(hand_out(transfer::line_of(realm)));
    BELAY_TRY(walk(Pass::write));
    BELAY_TRY(hand_out(transfer::line_of(transfer::Tail{sum_.lines(), sum_.value()})));
    return report_;
  }

 private:
  Result<> prepare() {
    auto version = database_.integer("PRAGMA main.user_version");
    if (!version) return version.error();
    auto rows = sqlite::Statement::prepare(
        database_.handle(), fmt::format(fmt::runtime(kExportedRows),
                                        *version < kProgressSince ? kNoNewColumns : kNewColumns,
                                        index_condition(filter_)));
    if (!rows) return rows.error();
    rows_ = std::move(*rows);
    auto epoch = database_.integer(kReadEpoch);
    if (!epoch) return epoch.error();
    epoch_ = *epoch;
    if (*version < kRequestsSince) return {};
    auto posted = database_.integer(kUnanswered);
    if (!posted) return posted.error();
    report_.posted = static_cast<std::uint64_t>(*posted);
    return {};
  }

  transfer::Head head() const {
    return {.transactions = report_.transactions,
            .unfinished = report_.unfinished,
            .topics = report_.topics,
            .realms = report_.realms,
            .epoch = static_cast<std::uint64_t>(epoch_),
            .exported_at = now_};
  }

  Result<> count(Status status) {
    ++report_.transactions;
    report_.unfinished += is_final(status) ? 0 : 1;
    return {};
  }

  // Goes up the ids through the rows and the log.
  Result<> walk(Pass pass) {
    const sqlite::ResetAtEnd reset(rows_);
    std::size_t next = 0;
    while (true) {
      auto row = rows_.step();
      if (!row) return row.error();
      const auto id = *row ? rows_.number(0) : core::TransactionId{0};
      while (next < changed_.size() && (!*row || changed_[next]->transaction.id <= id))
        BELAY_TRY(visit(changed_[next++]->transaction, pass));
      if (!*row) return {};
      if (!fold_.has_changed(id)) BELAY_TRY(visit_row(pass));
    }
  }

  Result<> visit_row(Pass pass) {
    const auto candidate = candidate_of(rows_);
    if (!matcher_.matches(candidate)) return {};
    if (matcher_.asks_for_target() && !matcher_.names_target(rows_.bytes(kDefinitionColumn)))
      return {};
    return pass == Pass::count ? count(candidate.status) : add(read_line(rows_));
  }

  Result<> visit(const core::Transaction& transaction, Pass pass) {
    if (!matcher_.matches(candidate_of(transaction, stuck_after_)) ||
        !matcher_.names_target(transaction.definition))
      return {};
    if (pass == Pass::count) return count(transaction.status);
    auto line = render_line(transaction, stuck_after_);
    return line ? add(*line) : Result<>(line.error());
  }

  Result<> add(const transfer::RowLine& row) {
    // What an import would refuse is not exported.
    if (auto sound = transfer::check(row); !sound) {
      return Error{ErrorCode::corrupt,
                   fmt::format("transaction {}: {}", row.gid, sound.error().detail)};
    }
    auto line = transfer::line_of(row);
    return line ? hand_out(*line) : Result<>(line.error());
  }

  Result<> hand_out(std::string_view line) {
    sum_.add(line);
    if (take_(line)) return {};
    return Error{ErrorCode::misuse, "the export was ended by its callback"};
  }

  sqlite::Database& database_;
  const std::vector<Folded*> changed_;  // oldest first
  const Fold& fold_;
  const Filter& filter_;
  const Matcher matcher_;
  const std::int64_t now_;
  const std::uint32_t stuck_after_;
  const Take& take_;
  sqlite::Statement rows_;
  std::int64_t epoch_ = 0;
  transfer::LineSum sum_;
  ExportReport report_;
};

}  // namespace

Result<ExportReport> export_lines(sqlite::Database& database, Fold& fold, const Filter& filter,
                                  std::uint32_t stuck_after,
                                  const std::function<bool(std::string_view line)>& take) {
  const auto now = database.integer(kNowMillis);
  if (!now) return now.error();
  return Export(database, fold, filter, *now, stuck_after, take).run();
}

}  // namespace belay::store
