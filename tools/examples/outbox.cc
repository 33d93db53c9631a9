// The outbox: a row in the shop's own database and a message about it are both written or neither,
// whatever crashes in between.
//
//   outbox STATE_FILE SHOP_FILE ORDER [--crash-at STEP]
//
// STEP is prepared (the message is known, the order is not), worked (the order is written but not
// committed), committed (the message is not submitted yet) or submitted. The process ends at that
// step as if it were killed. Run again without --crash-at it finishes the work: the message is
// delivered if and only if the order was committed.
//
// The order and belay's barrier row are written in one local transaction of SQLite. Two subscribers
// of the topic `orders` receive the message. If the message is neither submitted nor aborted for a
// second, belay calls the back-check, which checks whether that transaction was committed.
#include <belay/belay.h>
#include <belay/outbox.h>
#include <sqlite3.h>
#include <unistd.h>

#include <chrono>
#include <cstdio>
#include <string>
#include <string_view>

namespace {

using namespace std::chrono_literals;
using belay::Outcome;

std::string crash_at;

void crash_if(std::string_view step) {
  if (step == crash_at) ::_exit(42);  // nothing is flushed, closed or rolled back
}

// A connection to the shop's database. A connection of SQLite belongs to one thread at a time, so
// the subscribers and the back-check, which run on worker threads, each open their own.
class Shop {
 public:
  explicit Shop(const std::string& path) {
    sqlite3_open(path.c_str(), &database_);
    sqlite3_busy_timeout(database_, 5'000);
  }
  Shop(const Shop&) = delete;
  Shop& operator=(const Shop&) = delete;
  ~Shop() { sqlite3_close(database_); }

  sqlite3* database() const { return database_; }
  std::string words() const { return sqlite3_errmsg(database_); }
  bool run(const char* sql, std::string_view first = {}, std::string_view second = {}) {
    sqlite3_stmt* statement = nullptr;
    if (sqlite3_prepare_v2(database_, sql, -1, &statement, nullptr) != SQLITE_OK) return false;
    sqlite3_bind_text(statement, 1, first.data(), static_cast<int>(first.size()), SQLITE_STATIC);
    sqlite3_bind_text(statement, 2, second.data(), static_cast<int>(second.size()), SQLITE_STATIC);
    const int code = sqlite3_step(statement);
    sqlite3_finalize(statement);
    return code == SQLITE_DONE || code == SQLITE_ROW;
  }

 private:
  sqlite3* database_ = nullptr;
};

// A subscriber. It may be called several times, so its own work is guarded as well: it is done
// once.
Outcome on_order(const belay::Call& call, void* path) {
  Shop shop(*static_cast<std::string*>(path));
  belay::Barrier barrier(belay::Mode::msg, call);
  return barrier.call(shop.database(), [&] {
    return shop.run("INSERT INTO told VALUES (?1, ?2)", call.target, call.payload)
               ? Outcome::success()
               : Outcome::unknown(shop.words());
  });
}

Outcome back_check(const belay::Call& call, void* path) {
  const Shop shop(*static_cast<std::string*>(path));
  return belay::Barrier::query_prepared(call.gid, shop.database());
}

int complain(const std::string& words) {
  std::fprintf(stderr, "outbox: %s\n", words.c_str());
  return 1;
}

belay::Result<belay::Report> place(belay::Engine& engine, Shop& shop, std::string_view order) {
  belay::Msg message("order-" + std::string(order));
  message.to("topic://orders", order).query("shop.back_check").timeout_to_fail(1s).concurrent();
  auto report = belay::do_and_submit(engine, message, shop.database(), [&] {
    crash_if("prepared");
    if (!shop.run("INSERT INTO orders VALUES (?1)", order)) {
      return sqlite3_errcode(shop.database()) == SQLITE_CONSTRAINT
                 ? Outcome::failure("there is such an order")
                 : Outcome::unknown(shop.words());
    }
    crash_if("worked");
    return Outcome::success();
  });
  crash_if("submitted");
  // The message was begun by a run that crashed, or its end is left to the back-check: wait for the
  // end.
  const bool unclear = !report && report.error().code == belay::ErrorCode::commit_unknown;
  if ((report && !report->finished()) || unclear) return engine.wait(message.gid(), 30s);
  return report;
}

int run(const std::string& state_file, std::string shop_file, std::string_view order) {
  Shop shop(shop_file);
  if (!shop.run("PRAGMA journal_mode = WAL") ||
      !shop.run("CREATE TABLE IF NOT EXISTS orders (id TEXT PRIMARY KEY)") ||
      !shop.run("CREATE TABLE IF NOT EXISTS told (who TEXT, about TEXT)")) {
    return complain(shop.words());
  }
  if (auto made = belay::Barrier::create_table(shop.database()); !made) {
    return complain(made.error().detail);
  }
  // SQLite calls this hook right after a commit.
  sqlite3_wal_hook(
      shop.database(),
      [](void*, sqlite3*, const char*, int) {
        crash_if("committed");
        return SQLITE_OK;
      },
      nullptr);

  auto engine = belay::Engine::open(state_file);
  if (!engine) return complain(engine.error().detail);
  for (const auto* name : {"billing", "shipping"}) {
    if (auto done = engine->handle_blocking(name, on_order, &shop_file); !done) {
      return complain(done.error().detail);
    }
  }
  if (auto done = engine->handle_blocking("shop.back_check", back_check, &shop_file); !done) {
    return complain(done.error().detail);
  }
  if (auto started = engine->start(); !started) return complain(started.error().detail);
  for (const auto* name : {"billing", "shipping"}) {
    if (auto done = engine->subscribe({.topic = "orders", .target = name}); !done) {
      return complain(done.error().detail);
    }
  }
  const auto report = place(*engine, shop, order);
  if (!report) return complain(report.error().detail);
  std::printf("%s %s %s\n", report->gid().c_str(),
              std::string(belay::name_of(report->status())).c_str(), report->reason().c_str());
  return report->succeeded() ? 0 : 1;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc == 6 && std::string_view(argv[4]) == "--crash-at") {
    crash_at = argv[5];
  } else if (argc != 4) {
    std::fprintf(stderr, "usage: outbox STATE_FILE SHOP_FILE ORDER [--crash-at STEP]\n");
    return 2;
  }
  return run(argv[1], argv[2], argv[3]);
}
