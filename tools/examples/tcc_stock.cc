// Try, confirm, cancel: a shop reserves goods in a warehouse and the buyer's credit, and takes both
// or neither.
//
//   tcc_stock STATE_FILE BOOKS_FILE declared ORDER QUANTITY
//   tcc_stock STATE_FILE BOOKS_FILE driven   ORDER QUANTITY
//
// Declared: the branches are known beforehand; belay makes the tries and decides. All goods come
// from the north warehouse. Driven: this program decides between the tries. It takes what the north
// warehouse has, and asks the south warehouse for the rest only if there is a rest.
//
// ORDER names the transaction: run twice, it is one order. The participants, in tcc_stock_books.h,
// start with 3 pieces in the north, 10 in the south, and 100 of credit at 10 a piece.
#include <belay/belay.h>
#include <sqlite3.h>

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <mutex>
#include <string>
#include <string_view>
#include <utility>

#include "tcc_stock_books.h"

namespace {

using namespace std::chrono_literals;

constexpr int kPrice = 10;

belay::TwoPhaseBranch all_of(std::string_view name, int number) {
  return {"shop.try_all", "shop.confirm", "shop.cancel",
          std::string(name) + " " + std::to_string(number)};
}

belay::Result<belay::Report> declared(belay::Engine& engine, const std::string& order, int pieces) {
  return engine.run(
      belay::Tcc(order).branch(all_of("north", pieces)).branch(all_of("credit", pieces * kPrice)));
}

// Each return without a submit or abort aborts the transaction: the reservations are cancelled.
belay::Result<belay::Report> driven(belay::Engine& engine, const std::string& order, int pieces,
                                    Books& books) {
  if (auto known = engine.find(order); known && known->finished()) return known;
  auto transaction = belay::Driven::begin(engine, belay::Tcc(order));
  if (!transaction) return transaction.error();
  auto credit = transaction->branch(all_of("credit", pieces * kPrice));
  if (!credit) return credit.error();
  if (credit->kind() != belay::OutcomeKind::success) return transaction->abort(credit->reason());

  int missing = pieces;
  for (const auto* warehouse : {"north", "south"}) {
    if (missing == 0) break;
    auto branch = all_of(warehouse, missing);
    branch.first = "shop.try_some";
    auto tried = transaction->branch(branch);
    if (!tried) return tried.error();
    if (tried->kind() != belay::OutcomeKind::success) return transaction->abort(tried->reason());
    const std::lock_guard lock(books.mutex);
    missing -= books.run(kReserved, order, warehouse, 0).value_or(0);
  }
  if (missing > 0) return transaction->abort("sold out");
  return transaction->run(30s);
}

int complain(const std::string& words) {
  std::fprintf(stderr, "tcc_stock: %s\n", words.c_str());
  return 1;
}

int shop(char** argv, int pieces) {
  Books books;  // outlives the engine, which uses it in calls
  if (sqlite3_open(argv[2], &books.database) != SQLITE_OK || !books.run(kOpenBooks)) {
    return complain(books.words());
  }
  if (auto made = belay::Barrier::create_table(books.database); !made) {
    return complain(made.error().detail);
  }
  auto engine = belay::Engine::open(argv[1]);
  if (!engine) return complain(engine.error().detail);
  for (const auto& [name, handler] : {std::pair{"shop.try_all", &try_all},
                                      {"shop.try_some", &try_some},
                                      {"shop.confirm", &confirm},
                                      {"shop.cancel", &cancel}}) {
    if (auto done = engine->handle_blocking(name, handler, &books); !done) {
      return complain(done.error().detail);
    }
  }
  if (auto started = engine->start(); !started) return complain(started.error().detail);

  const bool is_driven = std::string_view(argv[3]) == "driven";
  auto report =
      is_driven ? driven(*engine, argv[4], pieces, books) : declared(*engine, argv[4], pieces);
  // An abort is answered when it is decided; its cancels may still be running.
  if (report && !report->finished()) report = engine->wait(argv[4], 30s);
  if (!report) return complain(report.error().detail);
  std::printf("%s %s %s\n", argv[4], std::string(belay::name_of(report->status())).c_str(),
              report->reason().c_str());
  return report->succeeded() ? 0 : 1;
}

}  // namespace

int main(int argc, char** argv) {
  const int pieces = argc == 6 ? std::atoi(argv[5]) : 0;
  const std::string_view how = argc == 6 ? argv[3] : "";
  if (pieces <= 0 || (how != "declared" && how != "driven")) {
    std::fprintf(stderr, "usage: tcc_stock STATE_FILE BOOKS_FILE declared|driven ORDER QUANTITY\n");
    return 2;
  }
  return shop(argv, pieces);
}
