#include <poll.h>
#include <sqlite3.h>

#include <atomic>
#include <stdexcept>

#include "servers/site.h"
#include "support/process.h"

namespace belay::test {
namespace {

constexpr int kWaitsMax = 20'000;  // of a millisecond

std::atomic<bool> somebody_waited{false};

int on_busy(void*, int count) noexcept {
  somebody_waited = true;
  ::poll(nullptr, 0, 1);
  return count < kWaitsMax ? 1 : 0;
}

class SqliteConnection final : public Connection {
 public:
  explicit SqliteConnection(const std::string& path) {
    if (sqlite3_open(path.c_str(), &database_) != SQLITE_OK) throw std::runtime_error(words());
    sqlite3_busy_handler(database_, &on_busy, nullptr);
  }
  ~SqliteConnection() override { sqlite3_close_v2(database_); }

  Outcome call(Barrier& barrier, const std::function<Outcome()>& work) override {
    return barrier.call(database_, work);
  }
  Outcome query_prepared(std::string_view gid) override {
    return Barrier::query_prepared(gid, database_);
  }
  Result<Report> do_and_submit(Engine& engine, const Msg& msg,
                               const std::function<Outcome()>& work) override {
    return belay::do_and_submit(engine, msg, database_, work);
  }
  Result<> create_table() override { return Barrier::create_table(database_); }

  bool run(const std::string& sql) override {
    return sqlite3_exec(database_, sql.c_str(), nullptr, nullptr, nullptr) == SQLITE_OK;
  }
  std::vector<std::string> rows(const std::string& sql) override {
    std::vector<std::string> found;
    if (sqlite3_exec(database_, sql.c_str(), &on_row, &found, nullptr) != SQLITE_OK) {
      throw std::runtime_error(words());
    }
    return found;
  }

 private:
  static int on_row(void* found, int count, char** values, char**) noexcept {
    std::string row;
    for (int i = 0; i < count; ++i) {
      row += (i > 0 ? " " : "") + std::string(values[i] == nullptr ? "" : values[i]);
    }
    static_cast<std::vector<std::string>*>(found)->push_back(row);
    return 0;
  }
  std::string words() const { return sqlite3_errmsg(database_); }

  sqlite3* database_ = nullptr;
};

}  // namespace

std::string Sqlite::address() {
  static const TempDir folder;
  return folder.file("participant.db");
}

std::unique_ptr<Connection> Sqlite::connect() {
  static const bool made = [] {
    SqliteConnection first(address());
    return first.run("PRAGMA journal_mode = WAL") && first.create_table().has_value() &&
           first.run("CREATE TABLE effects (story INTEGER, what TEXT)");
  }();
  if (!made) throw std::runtime_error("cannot make the database");
  return std::make_unique<SqliteConnection>(address());
}

bool Sqlite::someone_waits() { return somebody_waited; }
void Sqlite::forget_waits() { somebody_waited = false; }

}  // namespace belay::test
