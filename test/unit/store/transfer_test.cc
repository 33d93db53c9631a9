// Goal: what was exported is in another file as it was, or nothing of it is; and whatever is wrong
// with an exported file is refused, with its line.
#include <doctest/doctest.h>
#include <sys/resource.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <functional>
#include <iterator>
#include <string>
#include <vector>

#include "belay/transfer.h"
#include "belay/workflow.h"
#include "core/codec.h"
#include "core/progress.h"
#include "store/line_file.h"
#include "store/transfer_lines.h"
#include "support/process.h"
#include "unit/core/samples.h"
#include "unit/store/story.h"
#include "unit/store/told.h"

namespace belay::test {
namespace {

namespace fs = std::filesystem;
namespace transfer = store::transfer;
using Kind = ports::TopicChange::Kind;
using Lines = std::vector<std::string>;

// Every mode and status, in rows and only in the log.
struct SourceFixture {
  SourceFixture() {
    story.succeed(story.submit("done"));
    story.fail(story.submit("refused"), "no funds");
    begin(rich_saga());
    begin(rich_tcc());
    auto batch = story.batch();
    for (const auto& [id, transaction] : story.all()) story.add_row(batch, id);
    batch.fold_below = batch.lsn;
    batch.topics = {{{"news", "b", "late"}, Kind::subscribe, {2, 5, 7}},
                    {{"news", std::string("\xff", 1), ""}, Kind::subscribe, {3, 5, 8}},
                    {{"empty", "x", ""}, Kind::subscribe, {1, 6, 6}},
                    {{"empty", "x", ""}, Kind::unsubscribe, {2, 6, 9}}};
    batch.realms = {{XaKind::mariadb, "r-1", "stock"}};
    commit(*journal, batch);
    begin(named_xa());
    begin(rich_msg(), core::Entry::prepare);
    workflows();
    story.succeed(story.submit("done later"));
    commit(*journal, story.batch());
  }

  void begin(Description description, core::Entry entry = core::Entry::submit) {
    story.decide(story.submit(description, entry), core::Begun{});
    story.wait(10);
  }

  void workflows() {
    const auto prepare = [this](const char* gid) {
      const auto id =
          story.submit(Workflow(gid).callback("shop.resume", "order", "in"), core::Entry::prepare);
      story.decide(id, core::Begun{});
      const Progress step{"01", "action", "succeed", std::string("\0\xff", 2)};
      story.decide(id, core::Progressed{*core::encode_progress(step, Limits{})});
      return id;
    };
    prepare("w-open");
    const WorkflowEnd end{.status = Status::succeed, .result = std::string("\0\xfe", 2)};
    story.decide(prepare("w-done"), core::WordEnd{&end});
  }

  static constexpr std::uint64_t kTransactions = 9;
  static constexpr std::uint64_t kUnfinished = 5;

  TempDir dir;
  const std::string path = dir.file("source.db");
  const std::string to = dir.file("target.db");
  const std::string file = dir.file("all.jsonl");
  std::unique_ptr<store::Journal> journal = open_journal(path);
  Story story;
};

Lines export_lines(const std::string& path, const Filter& filter = {}) {
  auto reader = open_reader(path);
  Lines lines;
  const auto report = reader.export_all(filter, [&lines](std::string_view line) {
    lines.emplace_back(line);
    return true;
  });
  if (!report) MESSAGE(report.error().detail);
  REQUIRE(report.has_value());
  return lines;
}

void write_file(const std::string& path, const std::string& bytes) {
  std::ofstream out(path, std::ios::binary | std::ios::trunc);
  out << bytes;
}

std::string joined(const Lines& lines) {
  std::string all;
  for (const auto& line : lines) all += line;
  return all;
}

// The same lines under a new last line.
Lines resealed(Lines lines) {
  lines.pop_back();
  transfer::LineSum sum;
  for (const auto& line : lines) sum.add(line);
  lines.push_back(transfer::line_of(transfer::Tail{sum.lines(), sum.value()}));
  return lines;
}

template <class T>
T parsed_as(const std::string& line) {
  auto parsed = transfer::parse(std::string_view(line).substr(0, line.size() - 1));
  if (!parsed) MESSAGE(parsed.error().detail);
  REQUIRE(parsed.has_value());
  REQUIRE(std::holds_alternative<T>(*parsed));
  return std::get<T>(std::move(*parsed));
}

std::size_t line_of_gid(const Lines& lines, const std::string& gid) {
  const auto found = std::find_if(lines.begin(), lines.end(), [&](const std::string& line) {
    return line.starts_with("{\"transaction\":\"" + gid + "\"");
  });
  REQUIRE(found != lines.end());
  return static_cast<std::size_t>(found - lines.begin());
}

std::string error_of(const Result<ImportReport>& report) {
  return report ? "" : std::string(name_of(report.error().code)) + ": " + report.error().detail;
}

// What a reader says without the ids, which are new.
std::string without_ids(const std::string& path) {
  auto reader = open_reader(path);
  std::string all;
  for (const auto& line : export_lines(path)) {
    if (!line.starts_with("{\"transaction\"")) continue;
    const auto row = parsed_as<transfer::RowLine>(line);
    auto whole = reader.read(row.gid);
    REQUIRE(whole.has_value());
    whole->row.id = 0;
    all += text(whole->row) + "\n";
    for (const auto& branch : whole->branches) all += text(branch) + "\n";
    for (const auto& event : whole->timeline) all += text(event) + "\n";
    for (const auto& step : whole->progress) all += step.progress.data + "\n";
    if (row.snapshot.empty()) continue;
    auto transaction = core::decode_snapshot(row.snapshot);
    REQUIRE(transaction.has_value());
    transaction->id = 0;
    all += core::encode_snapshot(*transaction) + "\n";
  }
  return all;
}

std::string count_rows(const std::string& path) {
  return query(path, "SELECT count(*) FROM transaction_rows");
}

}  // namespace

TEST_SUITE("store/transfer") {
  TEST_CASE_FIXTURE(SourceFixture, "all that a file holds is in another one as it was") {
    write_file(file, joined(export_lines(path)));
    const auto report = import_transactions(file, to);
    CHECK(error_of(report) == "");
    REQUIRE(report.has_value());
    CHECK(report->transactions == kTransactions);
    CHECK(report->unfinished == kUnfinished);
    CHECK(report->skipped == 0);
    CHECK(report->topics == 2);
    CHECK(without_ids(to) == without_ids(path));
    auto copy = open_reader(to);
    CHECK(copy.check()->problems.empty());
    CHECK(copy.topics()->size() == 2);
    auto source = open_reader(path);
    for (const char* topic : {"news", "empty"}) {
      CHECK(copy.topic(topic)->subscriptions == source.topic(topic)->subscriptions);
      CHECK(copy.topic(topic)->version == source.topic(topic)->version);
      CHECK(copy.topic(topic)->updated_at == source.topic(topic)->updated_at);
    }
    CHECK(*copy.realms() == *source.realms());
    for (const char* gid : {"done", "refused", "w-done", "done later"}) check_views(to, gid);
    // Columns that no reader shows.
    const std::string columns =
        "SELECT gid, definition_hash, quote(result) FROM transaction_rows ORDER BY gid";
    journal.reset();
    const auto before = query(to, columns);
    write_file(file, joined(export_lines(to)));
    REQUIRE(import_transactions(file, dir.file("third.db")));
    CHECK(query(dir.file("third.db"), columns) == before);
  }

  TEST_CASE_FIXTURE(SourceFixture, "an engine goes on with what was imported") {
    write_file(file, joined(export_lines(path)));
    REQUIRE(import_transactions(file, to));
    std::size_t unfinished = 0;
    const auto read = read_back(to);
    for (const auto& one : read.transactions) {
      CHECK(one.has_row);
      unfinished += one.transaction.finished() ? 0 : 1;
      const auto& old = story.at(one.transaction.id);
      CHECK(core::encode_snapshot(one.transaction) == core::encode_snapshot(old));
    }
    CHECK(unfinished == kUnfinished);
    CHECK(read.recovered.last_id == kTransactions);
    CHECK(read.recovered.stuck_after == 3);
    // Its next records find their rows.
    auto again = open_journal(to);
    Story later;
    later.resume(read.recovered.last_lsn, read.recovered.last_id);
    later.submit("new");
    commit(*again, later.batch());
    CHECK(open_reader(to).check()->problems.empty());
  }

  TEST_CASE_FIXTURE(SourceFixture, "a byte that is another one is refused, wherever it is") {
    const auto good = joined(export_lines(path, {.gid_prefix = "order-43"}));
    write_file(file, good);
    for (std::size_t at = 0; at < good.size(); at += 5) {
      auto bad = good;
      bad[at] = static_cast<char>(bad[at] ^ (at % 10 == 0 ? 1 : 0x20));
      write_file(file, bad);
      const auto report = import_transactions(file, to);
      CAPTURE(at);
      REQUIRE(!report);
      REQUIRE((report.error().code == ErrorCode::invalid_argument ||
               report.error().code == ErrorCode::unsupported));
      REQUIRE(contains(report.error().detail, file));
    }
    CHECK(!fs::exists(to));
    // A line alone, every bit of it.
    for (const auto& line : export_lines(path, {.gid_prefix = "done"})) {
      const std::size_t size = line.size() - 1;  // without its newline
      for (std::size_t bit = 0; bit < 8 * size; ++bit) {
        auto bad = line.substr(0, size);
        bad[bit / 8] = static_cast<char>(bad[bit / 8] ^ (1 << bit % 8));
        CAPTURE(bit);
        REQUIRE(!transfer::parse(bad).has_value());
      }
    }
  }

  TEST_CASE_FIXTURE(SourceFixture, "a file that ends too early is refused, wherever it ends") {
    const auto good = joined(export_lines(path, {.gid_prefix = "order-43"}));
    for (std::size_t size = 0; size < good.size(); size += size + 70 < good.size() ? 7 : 1) {
      write_file(file, good.substr(0, size));
      CAPTURE(size);
      REQUIRE(error_of(import_transactions(file, to)).starts_with("invalid_argument: "));
    }
    write_file(file, good + good);
    CHECK(contains(error_of(import_transactions(file, to)), "behind the last line"));
    CHECK(!fs::exists(to));
    write_file(file, good);
    CHECK(error_of(import_transactions(file, to)) == "");
  }

  TEST_CASE_FIXTURE(SourceFixture, "lines that are missing, doubled or elsewhere are refused") {
    const auto good = export_lines(path);
    const auto at = line_of_gid(good, "done");
    const auto says = [&](const Lines& lines) {
      write_file(file, joined(lines));
      return error_of(import_transactions(file, to));
    };
    auto lines = good;
    lines.erase(lines.begin() + static_cast<std::ptrdiff_t>(at));
    CHECK(contains(says(lines), "are missing, doubled, or at another place"));
    CHECK(contains(says(resealed(lines)), "promises another number of lines"));
    lines = good;
    lines.insert(lines.begin() + static_cast<std::ptrdiff_t>(at), good[at]);
    CHECK(contains(says(resealed(lines)), "line 6: its transaction is older"));
    lines = good;
    std::swap(lines[1], lines[2]);  // topics
    CHECK(contains(says(lines), "are missing, doubled, or at another place"));
    lines = good;
    lines.erase(lines.begin());
    CHECK(contains(says(resealed(lines)), "line 1: an exported file begins with"));
    lines = good;
    lines.insert(lines.begin(), good[0]);
    CHECK(contains(says(resealed(lines)), "line 2: a second file begins here"));
    CHECK(!fs::exists(to));
    CHECK(says(good) == "");
  }

  TEST_CASE_FIXTURE(SourceFixture,
                    "what no belay writes is refused, though its checksums are right") {
    begin(two_steps("plain"));
    commit(*journal, story.batch());
    const auto good = export_lines(path);
    const auto says = [&](const std::string& gid,
                          const std::function<void(transfer::RowLine&)>& edit) {
      auto lines = good;
      auto& line = lines[line_of_gid(good, gid)];
      auto row = parsed_as<transfer::RowLine>(line);
      edit(row);
      line = *transfer::line_of(row);
      write_file(file, joined(resealed(std::move(lines))));
      const auto error = error_of(import_transactions(file, to));
      CHECK(!fs::exists(to));
      return error;
    };
    const auto other = parsed_as<transfer::RowLine>(good[line_of_gid(good, "order-43")]).snapshot;
    CHECK(says("order-42", [](auto& row) { row.gid = "other"; }).ends_with("says another status"));
    CHECK(says("order-42", [&](auto& row) {
            row.snapshot = other;
          }).ends_with("says another status"));
    CHECK(says("order-42", [](auto& row) {
            row.snapshot.back() ^= 1;
          }).ends_with("a snapshot whose checksum is wrong"));
    CHECK(says("order-42", [](auto& row) { row.snapshot.clear(); }).ends_with("has a 'snapshot'"));
    CHECK(says("done", [&](auto& row) { row.snapshot = other; }).ends_with("has a 'snapshot'"));
    CHECK(says("done", [](auto& row) { row.gid.clear(); }).ends_with("it must be 1 to 4096"));
    CHECK(says("done", [](auto& row) { row.gid = "a\nb"; }).ends_with("a control character"));
    CHECK(contains(says("done", [](auto& row) { row.branches = "[]"; }), "branches"));
    CHECK(contains(says("done", [](auto& row) { row.timeline = "[[\"x\"]]"; }), "timeline"));
    CHECK(contains(says("done", [](auto& row) { row.definition = "7"; }), "definition"));
    CHECK(says("done", [](auto& row) {
            row.definition.insert(1, "\"a\":[1 2],");
          }).ends_with("what it holds is no JSON"));
    CHECK(contains(says("done", [](auto& row) { row.progress = "[[1]]"; }), "progress"));
    CHECK(contains(says("done", [](auto& row) { row.created_at = 1ULL << 62; }), "created_at"));
    CHECK(contains(says("done", [](auto& row) { row.id = 1ULL << 63; }), "'id' cannot be read"));
    // Its second step was not started, and nothing wakes it.
    CHECK(says("plain", [](auto& row) {
            auto transaction = *core::decode_snapshot(row.snapshot);
            transaction.branches[0].first = core::OpState::succeeded;
            row.snapshot = core::encode_snapshot(transaction);
          }).ends_with("nothing would ever wake it"));
    // Nor does a decision lead to a second step that began before the first one.
    CHECK(says("plain", [](auto& row) {
            auto transaction = *core::decode_snapshot(row.snapshot);
            transaction.branches[1].first = core::OpState::started;
            row.snapshot = core::encode_snapshot(transaction);
          }).ends_with("can have come from nowhere"));
    CHECK(says("order-43", [](auto& row) {
            auto transaction = *core::decode_snapshot(row.snapshot);
            transaction.branches[0].second = core::OpState::started;
            transaction.branches[0].first = core::OpState::started;
            row.snapshot = core::encode_snapshot(transaction);
          }).ends_with("can have come from nowhere"));
  }

  TEST_CASE_FIXTURE(SourceFixture, "fences go on from where the other file's were") {
    for (int i = 0; i < 5; ++i) {
      journal.reset();
      journal = open_journal(path);
    }
    write_file(file, joined(export_lines(path)));
    REQUIRE(import_transactions(file, to).has_value());
    CHECK(open_reader(to).stats()->epoch >= open_reader(path).stats()->epoch);
    const auto before = open_reader(to).stats()->epoch;
    write_file(file, joined(export_lines(to)));
    const auto empty = dir.file("empty.db");
    CHECK(open_journal(empty) != nullptr);
    REQUIRE(import_transactions(file, empty).has_value());
    CHECK(open_reader(empty).stats()->epoch >= before);
  }

  TEST_CASE("a line's members are known ones, and each is there once") {
    CHECK(transfer::parse("").error().code == ErrorCode::corrupt);
    CHECK(transfer::parse("{\"complete\":true,\"crc32c\":\"00000000\"}").error().detail ==
          "its checksum is wrong");
    transfer::TopicLine topic{.name = "t", .state = {}};
    auto line = transfer::line_of(topic);
    line.pop_back();
    CHECK(transfer::parse(line).has_value());
    CHECK(transfer::parse(line + " ").error().detail == "it does not end with a checksum");
  }

  TEST_CASE_FIXTURE(SourceFixture, "a gid that is there already is named, and nothing is written") {
    write_file(file, joined(export_lines(path)));
    {
      const auto target = open_journal(to);
      Story other;
      other.succeed(other.submit("mine"));
      other.submit("order-42");
      auto batch = other.batch();
      other.add_row(batch, 1);
      commit(*target, batch);  // order-42 is in the log only
    }
    const auto before = without_ids(to);
    CHECK(error_of(import_transactions(file, to)) ==
          "conflict: " + file + ", line 7: the state file has a transaction order-42 already");
    CHECK(without_ids(to) == before);
    CHECK(count_rows(to) == "2");
    const auto report = import_transactions(file, to, {.skips_existing = true});
    REQUIRE(report.has_value());
    CHECK(report->skipped == 1);
    CHECK(report->transactions == kTransactions - 1);
    CHECK(report->unfinished == kUnfinished - 1);
    auto reader = open_reader(to);
    CHECK(reader.check()->problems.empty());
    CHECK(reader.find("mine")->id == 1);
    CHECK(reader.find("done")->id == 3);                                    // above what was there
    CHECK(contains(reader.find("order-42")->definition, "stock.release"));  // what was there
  }

  TEST_CASE_FIXTURE(SourceFixture, "topics that are there get what they lack, and keep the rest") {
    {
      const auto target = open_journal(to);
      ports::Batch batch;
      batch.topics = {{{"news", "b", "mine"}, Kind::subscribe, {7, 1, 2}},
                      {{"other", "c", ""}, Kind::subscribe, {1, 1, 1}}};
      commit(*target, batch);
    }
    write_file(file, joined(export_lines(path)));
    CHECK(import_transactions(file, to)->topics == 2);
    auto reader = open_reader(to);
    CHECK(reader.topics()->size() == 3);
    const auto news = reader.topic("news");
    REQUIRE(news->subscriptions.size() == 2);
    CHECK(news->subscriptions[0].remark == "mine");
    CHECK(news->version == 8);
    CHECK(reader.topic("other")->version == 1);
    // Again nothing is missing.
    CHECK(import_transactions(file, to, {.skips_existing = true})->topics == 0);
    CHECK(open_reader(to).topic("news")->version == 8);
  }

  TEST_CASE_FIXTURE(SourceFixture, "a gid that the file has twice is refused") {
    auto lines = export_lines(path);
    const auto at = line_of_gid(lines, "refused");
    auto row = parsed_as<transfer::RowLine>(lines[at]);
    row.gid = "done";
    lines[at] = *transfer::line_of(row);
    write_file(file, joined(resealed(lines)));
    for (const bool skips : {false, true}) {
      const auto error = error_of(import_transactions(file, to, {.skips_existing = skips}));
      CHECK(error == "invalid_argument: " + file + ", line 6: transaction done is there twice");
      CHECK(count_rows(to) == "0");
    }
  }

  TEST_CASE_FIXTURE(SourceFixture, "while an engine has the file open, a copy is exported") {
    std::size_t files = 0;
    auto reader = open_reader(path);
    const auto count_files = [this] {
      return static_cast<std::size_t>(
          std::distance(fs::directory_iterator(dir.path()), fs::directory_iterator()));
    };
    const auto before = count_files();
    std::string seen;
    const auto report = reader.export_all({}, [&](std::string_view line) {
      files = std::max(files, count_files());
      if (seen.empty()) {
        // The engine is not held up: its log is moved as a whole.
        story.submit("during");
        commit(*journal, story.batch());
        CHECK(query(path, "PRAGMA wal_checkpoint(TRUNCATE)") == "0|0|0");
      }
      seen += line;
      return true;
    });
    REQUIRE(report.has_value());
    CHECK(report->transactions == kTransactions);
    CHECK(files == before);
    CHECK(!contains(seen, "\"during\""));
    CHECK(import_transactions(file, path).error().code == ErrorCode::not_found);
    write_file(file, seen);
    CHECK(import_transactions(file, path).error().code == ErrorCode::locked);
    CHECK(import_transactions(file, dir.file("none.db"), {.must_exist = true}).error().code ==
          ErrorCode::not_found);
  }

  TEST_CASE_FIXTURE(SourceFixture, "the export of a file that nobody has open needs no copy") {
    const auto open = export_lines(path);
    journal.reset();
    const auto closed = export_lines(path);
    CHECK(Lines(closed.begin() + 1, closed.end() - 1) == Lines(open.begin() + 1, open.end() - 1));
  }

  TEST_CASE_FIXTURE(SourceFixture, "a filter keeps what it names, in rows and in the log") {
    const auto gids = [&](const Filter& filter) {
      std::string all;
      const auto lines = export_lines(path, filter);
      const auto head = parsed_as<transfer::Head>(lines.front());
      for (const auto& line : lines) {
        if (!line.starts_with("{\"transaction\"")) continue;
        all += (all.empty() ? "" : " ") + parsed_as<transfer::RowLine>(line).gid;
      }
      CHECK(head.transactions == lines.size() - 5);
      return all;
    };
    CHECK(gids({.finished = false}) == "order-42 order-43 order-45 order-44 w-open");
    CHECK(gids({.status = Status::failed}) == "refused");
    CHECK(gids({.mode = Mode::xa}) == "order-45");
    CHECK(gids({.finished = true}) == "done refused w-done done later");
    CHECK(gids({.target = "mail.send"}) == "order-44");
    CHECK(gids({.target = "seat.confirm"}) == "order-43");
    CHECK(gids({.gid_prefix = "w-"}) == "w-open w-done");
    CHECK(gids({.gid_prefix = "none"}) == "");
  }

  TEST_CASE_FIXTURE(SourceFixture, "callbacks may end it") {
    auto reader = open_reader(path);
    int lines = 0;
    CHECK(reader.export_all({}, [&](std::string_view) { return ++lines < 3; }).error().code ==
          ErrorCode::misuse);
    CHECK(lines == 3);
    CHECK(reader.export_all({}, [](std::string_view) -> bool { throw 1; }).error().detail ==
          "the export's callback threw");
    CHECK(reader.find("done").has_value());
    write_file(file, joined(export_lines(path)));
    ImportOptions options;
    unsigned last = 0;
    options.progress = [&last](unsigned percent) {
      last = percent;
      if (percent > 50) throw 1;
    };
    CHECK(import_transactions(file, to, options).error().code == ErrorCode::misuse);
    CHECK(last > 50);
    CHECK(count_rows(to) == "0");
    options.progress = [&last](unsigned percent) {
      CHECK(percent >= last);
      last = percent;
    };
    last = 0;
    CHECK(import_transactions(file, to, options).has_value());
    CHECK(last == 100);
  }

  TEST_CASE("a file is read in lines of a limited size") {
    const TempDir dir;
    const auto path = dir.file("lines");
    write_file(path, "one\n\n" + std::string(300'000, 'x') + "\nend");
    auto file = store::LineFile::open(path, 1'000'000);
    REQUIRE(file.has_value());
    CHECK(**file->next() == "one\n");
    CHECK(**file->next() == "\n");
    CHECK((*file->next())->size() == 300'001);
    CHECK(contains(file->next().error().detail, "line 4: the file ends within it"));
    auto tight = store::LineFile::open(path, 1'000);
    CHECK(tight->next().has_value());
    CHECK(tight->next().has_value());
    CHECK(contains(tight->next().error().detail, "line 3: it is longer than 1000 bytes"));
    CHECK(store::LineFile::open(dir.path(), 1).error().code == ErrorCode::invalid_argument);
    CHECK(store::LineFile::open(dir.file("none"), 1).error().code == ErrorCode::not_found);
  }

  TEST_CASE_FIXTURE(SourceFixture, "without room nothing is imported, and later all of it") {
    for (int i = 0; i < 150; ++i) {
      Saga saga("big-" + std::to_string(i));
      saga.step("a", "b", std::string(8'000, 'p'));
      begin(saga);
    }
    commit(*journal, story.batch());
    write_file(file, joined(export_lines(path)));
    CHECK(import_transactions(file, to, {.progress = [](unsigned) {}}).has_value());
    fs::remove(to);
    { open_journal(to); }
    rlimit before{};
    REQUIRE(getrlimit(RLIMIT_FSIZE, &before) == 0);
    rlimit small = before;
    small.rlim_cur = 1'000'000;
    REQUIRE(setrlimit(RLIMIT_FSIZE, &small) == 0);
    const auto full = import_transactions(file, to);
    REQUIRE(setrlimit(RLIMIT_FSIZE, &before) == 0);
    CHECK(error_of(full).starts_with("no_space: "));
    CHECK(count_rows(to) == "0");
    CHECK(open_reader(to).check()->problems.empty());
    const auto later = import_transactions(file, to);
    CHECK(error_of(later) == "");
    CHECK(count_rows(to) == std::to_string(kTransactions + 150));
  }
}

}  // namespace belay::test
