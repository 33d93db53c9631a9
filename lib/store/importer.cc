// Puts an exported file into a state file that no engine has open.
#include <fmt/format.h>

#include <algorithm>
#include <memory>
#include <new>
#include <optional>
#include <utility>

#include "base/enter.h"
#include "base/forks.h"
#include "base/invalid.h"
#include "base/quiet_signals.h"
#include "belay/transfer.h"
#include "store/finished_rows.h"
#include "store/journal_impl.h"
#include "store/line_file.h"
#include "store/quiet_file.h"
#include "store/realms.h"
#include "store/transfer_lines.h"
#include "store/transfer_row.h"

namespace belay {
namespace store {
namespace {

using transfer::Head;
using transfer::RowLine;
using transfer::Tail;
using transfer::TopicLine;

// SQLite itself says whether a text is JSON.
constexpr std::string_view kAreJson =
    "SELECT json_valid(?1) AND json_valid(?2) AND json_valid(?3) AND json_valid(?4)";
constexpr std::string_view kFindTaken = "SELECT id FROM main.transaction_rows WHERE gid = ?1";
constexpr unsigned kCheckedPercent = 40;

// What is done with the content of the file, which comes in its order.
class Target {
 public:
  virtual ~Target() = default;
  virtual Result<> take(const Head& head) = 0;
  virtual Result<> take(const TopicLine& topic) = 0;
  virtual Result<> take(const XaRealm& realm) = 0;
  virtual Result<> take(const RowLine& row, std::unique_ptr<core::Transaction> unfinished) = 0;
};

// Reads the whole file once. Everything is checked before the target gets it.
class Walk {
 public:
  using Progress = std::function<Result<>(unsigned percent)>;
  Walk(std::string path, Target& target, Progress progress)
      : path_(std::move(path)), target_(target), progress_(std::move(progress)) {}

  Result<> run() {
    BELAY_TRY(prepare());
    auto file = LineFile::open(path_, transfer::kLineBytesMax);
    if (!file) return file.error();
    while (true) {
      auto line = file->next();
      if (!line) return line.error();
      if (!*line) break;
      if (auto taken = take(**line); !taken) return at(file->line(), taken.error());
      BELAY_TRY(progress_(file->percent()));
    }
    if (is_complete_) return {};
    return base::invalid(fmt::format("{} is not complete: its last line is missing", path_));
  }

 private:
  Result<> prepare() {
    auto json = sqlite::Database::open(":memory:", SQLITE_OPEN_READWRITE | SQLITE_OPEN_MEMORY, {});
    if (!json) return json.error();
    json_ = std::move(*json);
    auto valid = sqlite::Statement::prepare(json_.handle(), kAreJson);
    if (!valid) return valid.error();
    valid_ = std::move(*valid);
    return {};
  }

  // What is wrong with the file is no damage of the state file.
  Error at(std::uint64_t line, const Error& error) const {
    const auto code = error.code == ErrorCode::corrupt ? ErrorCode::invalid_argument : error.code;
    return {code, fmt::format("{}, line {}: {}", path_, line, error.detail)};
  }
  static Error corrupt(std::string detail) { return {ErrorCode::corrupt, std::move(detail)}; }

  Result<> take(std::string_view line) {
    if (is_complete_) return corrupt("it stands behind the last line");
    auto parsed = transfer::parse(line.substr(0, line.size() - 1));
    if (!parsed) return parsed.error();
    if (!head_ && !std::holds_alternative<Head>(*parsed))
      return corrupt("an exported file begins with 'belay_export'");
    BELAY_TRY(std::visit([this](const auto& one) { return take_line(one); }, *parsed));
    sum_.add(line);
    return {};
  }

  Result<> take_line(const Head& head) {
    if (head_) return corrupt("a second file begins here");
    head_ = head;
    return target_.take(head);
  }

  Result<> take_line(const TopicLine& topic) {
    BELAY_TRY(transfer::check(topic));
    ++found_.topics;
    return target_.take(topic);
  }

  Result<> take_line(const XaRealm& realm) {
    BELAY_TRY(transfer::check(realm));
    ++found_.realms;
    return target_.take(realm);
  }

  Result<> take_line(const RowLine& row) {
    if (row.id <= last_id_) return corrupt("its transaction is older than the one before");
    last_id_ = row.id;
    BELAY_TRY(check_json(row));
    auto checked = transfer::check(row);
    if (!checked) return checked.error();
    ++found_.transactions;
    found_.unfinished += checked->unfinished ? 1 : 0;
    return target_.take(row, std::move(checked->unfinished));
  }

  Result<> take_line(const Tail& tail) {
    if (tail.lines != sum_.lines() || tail.check != sum_.value())
      return corrupt("lines before this one are missing, doubled, or at another place");
    if (found_.transactions != head_->transactions || found_.unfinished != head_->unfinished ||
        found_.topics != head_->topics || found_.realms != head_->realms)
      return corrupt("the first line promises another number of lines");
    is_complete_ = true;
    return {};
  }

  Result<> check_json(const RowLine& row) {
    valid_.bind_text(1, row.definition);
    valid_.bind_text(2, row.branches);
    valid_.bind_text(3, row.timeline);
    valid_.bind_text(4, row.progress.empty() ? std::string_view("[]") : row.progress);
    const sqlite::ResetAtEnd reset(valid_);
    auto valid = valid_.step();
    if (!valid) return valid.error();
    return valid_.integer(0) != 0 ? Result<>() : corrupt("what it holds is no JSON");
  }

  const std::string path_;
  Target& target_;
  const Progress progress_;
  sqlite::Database json_;
  sqlite::Statement valid_;
  std::optional<Head> head_;
  Head found_;
  transfer::LineSum sum_;
  std::uint64_t last_id_ = 0;
  bool is_complete_ = false;
};

// The first reading: nothing is done with it.
class Nowhere final : public Target {
 public:
  Result<> take(const Head&) override { return {}; }
  Result<> take(const TopicLine&) override { return {}; }
  Result<> take(const XaRealm&) override { return {}; }
  Result<> take(const RowLine&, std::unique_ptr<core::Transaction>) override { return {}; }
};

// Writes within the commit that `writers` belong to.
class IntoFile final : public Target {
 public:
  static Result<std::unique_ptr<IntoFile>> make(QuietFile& file, Writers& writers,
                                                const ImportOptions& options) {
    auto into = std::unique_ptr<IntoFile>(new IntoFile(file, writers, options));
    auto find = sqlite::Statement::prepare(writers.database.handle(), kFindTaken);
    if (!find) return find.error();
    into->find_ = std::move(*find);
    auto insert = FinishedRows::prepare(writers.database.handle());
    if (!insert) return insert.error();
    into->finished_ = std::move(*insert);
    return into;
  }

  // The fence of a call begins with the epoch, and must be larger than those of calls before.
  Result<> take(const Head& head) override {
    if (head.epoch <= file_.recovered().epoch) return {};
    writers_.set_meta.bind_text(1, "epoch");
    writers_.set_meta.bind(2, head.epoch);
    return writers_.set_meta.run();
  }

  Result<> take(const TopicLine& topic) override {
    const auto& known = file_.recovered().topics;
    const auto found = known.find(topic.name);
    auto stamp = topic.state.stamp;
    std::vector<Subscription> missing;
    for (const auto& [target, remark] : topic.state.subscribers) {
      if (found == known.end() || !found->second.subscribers.contains(target))
        missing.push_back({topic.name, target, remark});
    }
    if (found != known.end()) {
      if (missing.empty()) return {};
      stamp.version = found->second.stamp.version + missing.size();
      stamp.created_at = found->second.stamp.created_at;
      stamp.updated_at = std::max(stamp.updated_at, found->second.stamp.updated_at);
    }
    ++report_.topics;
    using Kind = ports::TopicChange::Kind;
    // To take away what is not there leaves the topic itself.
    if (missing.empty())
      return writers_.topics.write({{topic.name, "", ""}, Kind::unsubscribe, stamp});
    for (auto& one : missing)
      BELAY_TRY(writers_.topics.write({std::move(one), Kind::subscribe, stamp}));
    return {};
  }

  Result<> take(const XaRealm& realm) override { return write_realms(writers_.set_meta, {realm}); }

  Result<> take(const RowLine& row, std::unique_ptr<core::Transaction> unfinished) override {
    auto is_wanted = wants(row.gid);
    if (!is_wanted) return is_wanted.error();
    if (!*is_wanted) {
      ++report_.skipped;
      return {};
    }
    const auto id = ++last_id_;
    ++report_.transactions;
    if (!unfinished) return finished_.write(row, id, file_.lsn());
    ++report_.unfinished;
    unfinished->id = id;
    ports::RowChange change;
    change.id = id;
    change.lsn = file_.lsn();
    change.stuck = core::is_stuck(*unfinished, file_.recovered().stuck_after);
    change.due_at = core::next_due(*unfinished);
    change.transaction = unfinished.get();
    return writers_.rows.write({&change, 1});
  }

  const ImportReport& report() const { return report_; }

 private:
  IntoFile(QuietFile& file, Writers& writers, const ImportOptions& options)
      : file_(file),
        writers_(writers),
        options_(options),
        first_id_(file.recovered().last_id + 1),
        last_id_(file.recovered().last_id) {}

  // False: the file has the gid already, and that is no error.
  Result<bool> wants(const std::string& gid) {
    find_.bind_text(1, gid);
    const sqlite::ResetAtEnd reset(find_);
    auto there = find_.step();
    if (!there) return there.error();
    if (!*there) return true;
    if (find_.number(0) >= first_id_)
      return Error{ErrorCode::corrupt, fmt::format("transaction {} is there twice", gid)};
    if (options_.skips_existing) return false;
    return Error{ErrorCode::conflict,
                 fmt::format("the state file has a transaction {} already", gid)};
  }

  QuietFile& file_;
  Writers& writers_;
  const ImportOptions& options_;
  const core::TransactionId first_id_;
  core::TransactionId last_id_;
  sqlite::Statement find_;
  FinishedRows finished_;
  ImportReport report_;
};

class Import {
 public:
  Import(std::string from, std::string to, const ImportOptions& options)
      : from_(std::move(from)), to_(std::move(to)), options_(options) {}

  Result<ImportReport> run() {
    Nowhere nowhere;
    BELAY_TRY(Walk(from_, nowhere, [this](unsigned percent) {
                return show(percent * kCheckedPercent / 100);
              }).run());
    auto file = QuietFile::open(to_, options_.must_exist);
    if (!file) return file.error();
    ImportReport report;
    auto written = file->journal().write_whole([&](Writers& writers) -> Result<> {
      auto into = IntoFile::make(*file, writers, options_);
      if (!into) return into.error();
      BELAY_TRY(Walk(from_, **into, [this](unsigned percent) {
                  return show(kCheckedPercent + percent * (100 - kCheckedPercent) / 100);
                }).run());
      report = (*into)->report();
      return {};
    });
    auto closed = file->close();
    if (!written) return written.error();
    if (!closed) return closed.error();
    return report;
  }

 private:
  Result<> show(unsigned percent) {
    if (!options_.progress || percent == shown_) return {};
    shown_ = percent;
    if (base::enter(base::Log::none(), "the progress callback",
                    [&] { options_.progress(percent); }))
      return {};
    return Error{ErrorCode::misuse, "the progress callback threw"};
  }

  const std::string from_;
  const std::string to_;
  const ImportOptions& options_;
  std::optional<unsigned> shown_;
};

}  // namespace
}  // namespace store

Result<ImportReport> import_transactions(std::string_view from, std::string_view to,
                                         const ImportOptions& options) {
  if (!base::watch_forks()) return Error{ErrorCode::resources, "no memory to watch for forks"};
  const base::QuietSignals quiet;
  try {
    return store::Import(std::string(from), std::string(to), options).run();
  } catch (const std::bad_alloc&) {
    return Error{ErrorCode::resources, "no memory left"};
  }
}

}  // namespace belay
