// The three calls of an XA branch on real servers, twice, late, at once and cut off in the middle;
// the same cases for both databases.
#include <doctest/doctest.h>
#include <fmt/format.h>

#include <future>
#include <set>
#include <stdexcept>
#include <thread>

#include "servers/xa_cut_session.h"
#include "servers/xa_database.h"

namespace belay::test {
namespace {

constexpr XaKind kKinds[] = {XaKind::postgresql, XaKind::mariadb};

// A branch whose work writes the gid's number into the ledger.
class TestBranch {
 public:
  explicit TestBranch(XaServer& server, std::string gid = {})
      : server_(server), id_(fmt::format("row-{}", ++count_)), gid_(std::move(gid)) {
    if (gid_.empty()) gid_ = id_;
    sql_ = "INSERT INTO shop.ledger VALUES ('" + id_ + "')";
  }

  xa::Branch branch() const { return {xa::make_xid("test", gid_, "01"), {gid_, "01", "test"}}; }
  Outcome prepare(xa::Session& session) {
    return xa::prepare(session, branch(), [this](xa::Session& on) {
      ++worked_;
      return on.work(Call{}, sql_work(sql_));
    });
  }
  Outcome prepare() { return prepare(*server_.session()); }
  Outcome commit() const { return xa::commit(*server_.session(), branch()); }
  Outcome roll_back() const { return xa::roll_back(*server_.session(), branch()); }
  bool in_ledger() const { return server_.ledger_has(id_); }
  int worked() const { return worked_; }
  const std::string& gid() const { return gid_; }
  void set_sql(std::string sql) { sql_ = std::move(sql); }

 private:
  static inline int count_ = 0;
  XaServer& server_;
  std::string id_;
  std::string gid_;
  std::string sql_;
  int worked_ = 0;
};

bool is(const Outcome& outcome, OutcomeKind kind) {
  INFO(name_of(outcome.kind()), ": ", outcome.reason());
  CHECK(outcome.kind() == kind);
  return outcome.kind() == kind;
}

bool succeeds(const Outcome& outcome) { return is(outcome, OutcomeKind::success); }
bool fails(const Outcome& outcome) { return is(outcome, OutcomeKind::failure); }
bool is_unknown(const Outcome& outcome) { return is(outcome, OutcomeKind::unknown); }

template <class Test>
void on_both(const Test& test) {
  for (const auto kind : kKinds) {
    auto& server = xa_server(kind);
    const std::string name = server.name();
    CAPTURE(name);
    test(server);
    CHECK(server.prepared() == 0);
  }
}

}  // namespace

TEST_CASE("what is prepared and committed is there, what is rolled back is not") {
  on_both([](XaServer& server) {
    TestBranch kept(server), dropped(server);
    succeeds(kept.prepare());
    succeeds(dropped.prepare());
    CHECK(server.prepared() == 2);
    CHECK_FALSE(kept.in_ledger());
    succeeds(kept.commit());
    succeeds(dropped.roll_back());
    CHECK(kept.in_ledger());
    CHECK_FALSE(dropped.in_ledger());
  });
}

TEST_CASE("the connection that prepared may also commit, roll back and go on") {
  on_both([](XaServer& server) {
    const auto session = server.session();
    for (int i = 0; i < 3; ++i) {
      TestBranch kept(server), dropped(server);
      succeeds(kept.prepare(*session));
      succeeds(xa::commit(*session, kept.branch()));
      succeeds(dropped.prepare(*session));
      succeeds(xa::roll_back(*session, dropped.branch()));
      CHECK(kept.in_ledger());
      CHECK_FALSE(dropped.in_ledger());
    }
  });
}

TEST_CASE("each call may come twice") {
  on_both([](XaServer& server) {
    TestBranch kept(server), dropped(server);
    succeeds(kept.prepare());
    succeeds(kept.prepare());
    CHECK(kept.worked() == 1);
    succeeds(kept.commit());
    succeeds(kept.commit());
    succeeds(dropped.prepare());
    succeeds(dropped.roll_back());
    succeeds(dropped.roll_back());
    CHECK(kept.in_ledger());
    CHECK_FALSE(dropped.in_ledger());
  });
}

TEST_CASE("a rollback bars the prepare that comes after it") {
  on_both([](XaServer& server) {
    TestBranch never(server), undone(server);
    succeeds(never.roll_back());
    fails(never.prepare());
    succeeds(undone.prepare());
    succeeds(undone.roll_back());
    fails(undone.prepare());
    CHECK(never.worked() == 0);
    CHECK(undone.worked() == 1);
    CHECK_FALSE(never.in_ledger());
    CHECK_FALSE(undone.in_ledger());
  });
}

TEST_CASE("what another connection has not let go of yet is not called ended") {
  auto& server = xa_server(XaKind::mariadb);
  TestBranch branch(server);
  {
    const auto holder = server.session();
    succeeds(branch.prepare(*holder));
    CHECK(holder->holds() == branch.branch().xid.text());
    is_unknown(branch.commit());
    is_unknown(branch.roll_back());
    const auto held =
        roll_back_prepared(server.kind(), server.conninfo(), branch.branch().xid.text());
    REQUIRE_FALSE(held);
    CHECK(held.error().code == ErrorCode::busy);
  }
  succeeds(branch.commit());
  CHECK(branch.in_ledger());
}

TEST_CASE("what somebody ended by hand is not called done") {
  on_both([](XaServer& server) {
    TestBranch gone(server), there(server);
    succeeds(gone.prepare());
    server.end_connections();
    CHECK(roll_back_prepared(server.kind(), server.conninfo(), gone.branch().xid.text()));
    is_unknown(gone.commit());
    succeeds(gone.roll_back());
    is_unknown(gone.commit());

    succeeds(there.prepare());
    succeeds(there.commit());
    is_unknown(there.prepare());
    is_unknown(there.roll_back());
    CHECK(there.in_ledger());

    TestBranch never(server);
    is_unknown(never.commit());
  });
}

TEST_CASE("work that fails or throws leaves nothing, and its outcome is handed on") {
  on_both([](XaServer& server) {
    TestBranch refused(server);
    const auto session = server.session();
    auto outcome = xa::prepare(*session, refused.branch(),
                               [](xa::Session&) { return Outcome::failure("no stock"); });
    fails(outcome);
    CHECK(outcome.reason() == "no stock");
    CHECK(server.prepared() == 0);

    const PgWork pg = [](const Call&, pg_conn*, void*) -> Outcome {
      throw std::runtime_error("a");
    };
    const MariaDbWork my = [](const Call&, st_mysql*, void*) -> Outcome {
      throw std::runtime_error("a");
    };
    outcome = xa::prepare(*session, refused.branch(), [&](xa::Session& on) {
      return on.work(Call{}, {pg, my, nullptr});
    });
    is_unknown(outcome);
    CHECK(outcome.reason() == "a");

    succeeds(refused.prepare(*session));
    succeeds(xa::roll_back(*session, refused.branch()));
  });
}

TEST_CASE("work that ignores the database's refusal is not prepared half") {
  on_both([](XaServer& server) {
    TestBranch first(server), second(server);
    succeeds(first.prepare());
    succeeds(first.commit());
    const auto ignoring = [&](xa::Session& on) {
      std::string twice = "INSERT INTO shop.ledger SELECT id FROM shop.ledger";
      const auto outcome = on.work(Call{}, sql_work(twice));
      CHECK(outcome.kind() == OutcomeKind::unknown);
      std::string fine = "SELECT 1";
      return on.work(Call{}, sql_work(fine));
    };
    const auto outcome = xa::prepare(*server.session(), second.branch(), ignoring);
    if (server.kind() == XaKind::postgresql) is_unknown(outcome);
    succeeds(second.roll_back());
  });
}

TEST_CASE("work that ends the transaction itself is refused") {
  on_both([](XaServer& server) {
    TestBranch branch(server);
    branch.set_sql("COMMIT");
    const auto outcome = branch.prepare();
    CHECK(outcome.kind() != OutcomeKind::success);
    if (server.kind() == XaKind::postgresql) {
      fails(outcome);
      is_unknown(branch.roll_back());  // the row is committed: a person must look
    } else {
      succeeds(branch.roll_back());
    }
  });
}

TEST_CASE("while an attempt still runs, neither a second one nor a rollback is certain") {
  on_both([](XaServer& server) {
    TestBranch branch(server);
    std::promise<void> working, go_on;
    auto first = std::async(std::launch::async, [&] {
      return xa::prepare(*server.session(), branch.branch(), [&](xa::Session&) {
        working.set_value();
        go_on.get_future().wait();
        return Outcome::success();
      });
    });
    working.get_future().wait();
    is_unknown(branch.prepare());
    is_unknown(branch.roll_back());
    is_unknown(branch.commit());
    go_on.set_value();
    succeeds(first.get());
    succeeds(branch.prepare());
    CHECK(branch.worked() == 0);
    succeeds(branch.roll_back());
  });
}

TEST_CASE("a second attempt that waits for the first is told what became of it") {
  on_both([](XaServer& server) {
    const xa::Bounds patient{Millis(10'000), Millis(10'000)};
    for (const bool kept : {true, false}) {
      TestBranch branch(server);
      // MariaDB may lose a branch that is ended just while its connection closes: it stays open
      // here.
      auto session = server.session();
      std::promise<void> working, go_on;
      auto first = std::async(std::launch::async, [&] {
        return xa::prepare(*session, branch.branch(), [&](xa::Session&) {
          working.set_value();
          go_on.get_future().wait();
          return kept ? Outcome::success() : Outcome::failure("no");
        });
      });
      working.get_future().wait();
      auto second = std::async(std::launch::async, [&] {
        return xa::roll_back(*server.session(patient), branch.branch());
      });
      go_on.set_value();
      is(first.get(), kept ? OutcomeKind::success : OutcomeKind::failure);
      const bool rolled_back = second.get().kind() == OutcomeKind::success;
      session.reset();
      server.end_connections();
      if (!rolled_back) succeeds(branch.roll_back());
      CHECK_FALSE(branch.in_ledger());
      fails(branch.prepare());
    }
  });
}

TEST_CASE("an attempt whose connection ended before it prepared holds nothing up") {
  on_both([](XaServer& server) {
    TestBranch branch(server);
    const auto outcome = xa::prepare(*server.session(), branch.branch(), [&](xa::Session&) {
      server.end_connections();
      return Outcome::success();
    });
    is_unknown(outcome);
    succeeds(branch.prepare());
    succeeds(branch.commit());
    CHECK(branch.in_ledger());
  });
}

TEST_CASE("what the database does too long for the call's time it gives up") {
  on_both([](XaServer& server) {
    TestBranch branch(server);
    branch.set_sql(server.endless_sql());
    const auto session = server.session({Millis(300), Millis(300)});
    const auto began = std::chrono::steady_clock::now();
    is_unknown(branch.prepare(*session));
    CHECK(std::chrono::steady_clock::now() - began < std::chrono::seconds(20));
    succeeds(branch.roll_back());
  });
}

TEST_CASE("a server killed between prepare and commit keeps what was prepared") {
  on_both([](XaServer& server) {
    TestBranch kept(server), dropped(server);
    succeeds(kept.prepare());
    succeeds(dropped.prepare());
    server.kill9();
    server.restart();
    CHECK(server.prepared() == 2);
    succeeds(kept.prepare());
    succeeds(kept.commit());
    succeeds(dropped.roll_back());
    CHECK(kept.in_ledger());
    CHECK_FALSE(dropped.in_ledger());
  });
}

TEST_CASE("cut off at any step, the branch is committed once or not at all") {
  on_both([](XaServer& server) {
    for (const auto cut : {Cut::before, Cut::after}) {
      for (const bool kept : {true, false}) {
        int steps = 0;
        for (bool was_cut = true; was_cut; ++steps) {
          TestBranch branch(server);
          CAPTURE(steps);
          CAPTURE(kept);
          CutSession session(server, cut, steps);
          if (branch.prepare(session).kind() == OutcomeKind::success) {
            kept ? xa::commit(session, branch.branch()) : xa::roll_back(session, branch.branch());
          }
          was_cut = session.was_cut();
          if (kept &&
              xa::commit(*server.session(), branch.branch()).kind() != OutcomeKind::success) {
            succeeds(branch.prepare());
            succeeds(branch.commit());
          }
          if (!kept) succeeds(branch.roll_back());
          CHECK(branch.in_ledger() == kept);
          CHECK(server.prepared() == 0);
        }
        CHECK(steps > 6);
      }
    }
  });
}

TEST_CASE("any gid can be prepared, found and committed") {
  on_both([](XaServer& server) {
    const std::string gids[] = {"it's \"odd\" \\ ; -- %s",
                                "gr\xc3\xbc\xc3\x9f-dich \xf0\x9f\xa7\xb6",
                                std::string(128, 'x'),
                                "a.b.01",
                                "Case",
                                "case",
                                "~",
                                "."};
    for (const auto& gid : gids) {
      CAPTURE(gid);
      TestBranch branch(server, gid);
      succeeds(branch.prepare());
      const auto found = list_prepared(server.kind(), server.conninfo(), "test");
      REQUIRE(found);
      REQUIRE(found->size() == 1);
      CHECK(found->front().xid == xid_of("test", gid, "01"));
      CHECK(list_prepared(server.kind(), server.conninfo(), "tes")->empty());
      CHECK(list_prepared(server.kind(), server.conninfo(), {})->size() == 1);
      succeeds(branch.commit());
      CHECK(branch.in_ledger());
    }
  });
}

TEST_CASE("a gid that the barrier cannot hold fails, and its rollback is done") {
  on_both([](XaServer& server) {
    for (const auto& gid : {std::string("order\xff"), std::string(129, 'x'), std::string("a\0b", 3),
                            std::string("\xed\xa0\x80")}) {
      TestBranch branch(server, gid);
      fails(branch.prepare());
      CHECK(branch.worked() == 0);
      is_unknown(branch.commit());
      succeeds(branch.roll_back());
      CHECK_FALSE(branch.in_ledger());
    }
  });
}

TEST_CASE("ending a prepared transaction by hand says so if there is none") {
  on_both([](XaServer& server) {
    TestBranch branch(server);
    const auto xid = branch.branch().xid.text();
    const auto gone = roll_back_prepared(server.kind(), server.conninfo(), xid);
    REQUIRE_FALSE(gone);
    CHECK(gone.error().code == ErrorCode::not_found);
    const auto odd = roll_back_prepared(server.kind(), server.conninfo(), "belay-x'.01");
    REQUIRE_FALSE(odd);
    CHECK(odd.error().code == ErrorCode::invalid_argument);
  });
}

}  // namespace belay::test
