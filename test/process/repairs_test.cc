// Goal: an operator sees, explains and repairs each kind of stuck transaction with what README,
// `belay why` and `--help` say: in a program that embeds belay, on `belay serve`, and on the file
// of a dead process.
// Method: five kinds in three situations. The program and the server are processes of their own,
// the services keep a balance, the databases are real. What `belay why` advises is run as it
// stands.
#include <doctest/doctest.h>

#include <csignal>

#include "repairs_stage.h"

namespace belay::test {
namespace {

constexpr const char* kRight = R"({"amount":30})";
constexpr const char* kWrong = R"({"amount":"thirty"})";

bool helps(const Told& told, std::string_view part) {
  for (const auto& help : told.helps) {
    if (contains(help, part)) return true;
  }
  MESSAGE(Json(told.helps).dump(2));
  return false;
}

// A payer, a payee, and a transfer that goes from the one to the other or back.
struct Banks {
  explicit Banks(HttpPeer::Begins payee_begins = HttpPeer::Begins::now) : payee(payee_begins) {}
  bool moved() const { return payer.balance() == 70 && payee.balance() == 130; }
  bool untouched() const { return payer.balance() == 100 && payee.balance() == 100; }

  UrlBank payer;
  UrlBank payee;
};

struct DeadService {
  explicit DeadService(Where where) : site(where) {
    site.stage(transfer("order-1", banks.payer, banks.payee));
    told = site.told("order-1");
    CHECK(told.stuck);
    CHECK(contains(told.cause, "no connection"));
    CHECK(told.waits_for == "02 action " + banks.payee.url("/credit"));
    CHECK(contains(told.answer, "no connection"));
    CHECK(contains(told.meaning, "Nothing was sent: the host cannot be reached."));
    CHECK(helps(told, "bring " + banks.payee.host() + " back"));
    CHECK(banks.payer.balance() == 70);
    banks.payee.come_back();
  }
  void check_end() {
    CHECK(site.becomes("order-1", "succeed"));
    CHECK(banks.moved());
    CHECK(site.remembers("order-1", "replayed", kReason + " [" + kTicket + "]"));
  }

  Banks banks{HttpPeer::Begins::later};
  RepairSite site;
  Told told;
};

struct Unwilling {
  Unwilling(Where where, int status) : site(where) {
    banks.payee.answer("/credit", 409, "no such account");
    banks.payer.answer("/undo", status, "the month is closed");
    site.stage(transfer("order-2", banks.payer, banks.payee));
    told = site.told("order-2");
    CHECK(told.stuck);
    CHECK(contains(told.cause, "the month is closed"));
    CHECK(told.waits_for == "01 compensate " + banks.payer.url("/undo"));
    CHECK(contains(told.answer, "the month is closed"));
    CHECK(contains(told.summary, "It turned back"));
    CHECK(contains(told.summary, "no such account"));
    CHECK(contains(told.meaning, "until it succeeds"));
    CHECK(banks.payer.balance() == 70);
  }
  void check_end() {
    CHECK(site.becomes("order-2", "failed"));
    CHECK(banks.untouched());
  }

  Banks banks;
  RepairSite site;
  Told told;
};

struct NoHandler {
  explicit NoHandler(Where where) : site(where) {
    auto definition = transfer("order-3", banks.payer, banks.payee);
    definition["steps"][1] = {{"action", "bank.credit"}, {"compensate", ""}};
    site.stage_in_file(definition);
    told = site.told("order-3");
    CHECK(told.stuck);
    CHECK(told.cause == "no handler named 'bank.credit' is registered");
    CHECK(told.waits_for == "02 action bank.credit");
    CHECK(told.answer.empty());
    CHECK(contains(told.meaning, "did not register this handler"));
    CHECK(helps(told, "register the handler 'bank.credit' in the program"));
    CHECK(banks.payer.balance() == 70);
  }

  Banks banks;
  RepairSite site;
  Told told;
};

struct Unfit {
  Unfit(Where where, int status) : site(where) {
    banks.payee.answer_unfit(status);
    site.stage(transfer("order-5", banks.payer, banks.payee, kWrong));
    told = site.told("order-5");
    CHECK(told.stuck);
    CHECK(contains(told.cause, "HTTP " + std::to_string(status)));
    CHECK(contains(told.cause, "the payload has no amount"));
    CHECK(told.waits_for == "02 action " + banks.payee.url("/credit"));
    CHECK(contains(told.answer, "the payload has no amount"));
    CHECK(contains(told.meaning, "no answer that counts"));
    CHECK(helps(told, "if the service cannot take what is sent"));
    edited = site.decide(advised(told, "edit", "FILE", site.file_with(kRight)));
    CHECK(edited.exit_code == 0);
  }
  void check_end() {
    CHECK(site.becomes("order-5", "succeed"));
    CHECK(banks.moved());
    CHECK(site.remembers("order-5", "edited", kReason + " [" + kTicket + "]"));
    CHECK(site.remembers("order-5", "edited", "payload 19 -> 13 bytes"));
  }

  Banks banks;
  RepairSite site;
  Told told;
  Finished edited;
};

}  // namespace

TEST_SUITE("process/repairs: a dead service") {
  TEST_CASE("in a program: it comes back, and all that waits for it is replayed") {
    DeadService stage(Where::embedded);
    const Words all = {"replay", "--all-stuck", "--host", stage.banks.payee.host()};
    auto dry = all;
    dry.emplace_back("--dry-run");
    CHECK(stage.site.ask(dry).out == "order-1 " + stage.told.waits_for + "\n");
    CHECK(stage.site.replay(all).out == "order-1 succeed\n");
    stage.check_end();
  }

  TEST_CASE("on a server: it comes back, and a replay finds it") {
    DeadService stage(Where::served);
    CHECK(stage.site.replay(advised(stage.told, "replay")).out == "order-1 succeed\n");
    stage.check_end();
  }

  TEST_CASE("on a dead file: it comes back, and the command calls it by itself") {
    DeadService stage(Where::dead);
    CHECK(stage.told.engine.empty());
    CHECK(helps(stage.told, "start the program whose file this is"));
    CHECK(stage.site.replay(advised(stage.told, "replay")).out == "order-1 succeed\n");
    stage.check_end();
  }
}

TEST_SUITE("process/repairs: a compensation that is never taken") {
  TEST_CASE("in a program: its service is repaired, and a replay finds it") {
    Unwilling stage(Where::embedded, 409);
    CHECK(helps(stage.told, "repair " + stage.banks.payer.host() + " or its data"));
    stage.banks.payer.answer("/undo", 200);
    const auto done = stage.site.replay(advised(stage.told, "replay"));
    CHECK(contains(done.out, "order-2 failed"));
    stage.check_end();
    CHECK(stage.site.remembers("order-2", "replayed", kReason + " [" + kTicket + "]"));
  }

  TEST_CASE("on a server: what it is for is done by hand, and the answer is given for it") {
    Unwilling stage(Where::served, 500);
    stage.banks.payer.put_back_by_hand("order-2");
    const auto done = stage.site.decide(advised(stage.told, "resolve"));
    CHECK(done.exit_code == 0);
    stage.check_end();
    CHECK(stage.site.remembers("order-2", "resolved", kReason + " [" + kTicket + "]"));
  }

  TEST_CASE("on a dead file: it has moved, is called there from now on, and replayed") {
    Unwilling stage(Where::dead, 500);
    auto& payer = stage.banks.payer;
    CHECK(helps(stage.told, "or has moved: `belay edit"));
    CHECK(helps(stage.told, "--target URL"));
    auto edit = advised(stage.told, "edit", "--payload", "--target");
    edit.back() = payer.url("/undo?month=next");
    payer.answer("/undo", 200);
    CHECK(stage.site.decide(edit).exit_code == 0);
    CHECK(payer.balance() == 70);  // it is called by the next engine
    CHECK(contains(stage.site.replay({"replay", "order-2"}).out, "order-2 failed"));
    stage.check_end();
    CHECK(stage.site.remembers("order-2", "edited", kReason + " [" + kTicket + "]"));
  }
}

TEST_SUITE("process/repairs: a handler that nobody registered") {
  TEST_CASE("in a program: the next one registers it, and nothing else has to be done") {
    NoHandler stage(Where::embedded);
    stage.site.end_program(SIGTERM);
    stage.site.run_program({"handler", "bank.credit"});
    CHECK(stage.site.becomes("order-3", "succeed"));
    CHECK(stage.site.book() == "order-3 02 action " + std::string(kRight) + "\n");
    CHECK(stage.banks.payer.balance() == 70);
  }

  TEST_CASE("on a server, which has no handlers: the transaction turns back") {
    NoHandler stage(Where::served);
    const auto done = stage.site.decide(advised(stage.told, "back"));
    CHECK(done.exit_code == 0);
    CHECK(stage.site.becomes("order-3", "failed"));
    CHECK(stage.banks.untouched());
    CHECK(stage.site.remembers("order-3", "aborting", kReason + " [" + kTicket + "]"));
  }

  TEST_CASE("on a dead file: a URL takes its place, and the command calls that") {
    NoHandler stage(Where::dead);
    const auto edited =
        stage.site.decide(advised(stage.told, "edit", "TARGET", stage.banks.payee.url("/credit")));
    CHECK(edited.exit_code == 0);
    CHECK(stage.site.replay({"replay", "order-3"}).out == "order-3 succeed\n");
    CHECK(stage.banks.moved());
    CHECK(stage.site.book().empty());
    CHECK(stage.site.remembers("order-3", "edited", kReason + " [" + kTicket + "]"));
  }
}

TEST_SUITE("process/repairs: a payload that its service cannot take") {
  TEST_CASE("in a program: it is corrected, and called at once") {
    Unfit(Where::embedded, 422).check_end();
  }

  TEST_CASE("on a server: it is corrected, and called at once") {
    Unfit(Where::served, 400).check_end();
  }

  TEST_CASE("on a dead file: it is corrected, then called by a replay") {
    Unfit stage(Where::dead, 422);
    CHECK(contains(stage.edited.out, "order-5 submitted"));
    CHECK(stage.banks.payee.balance() == 100);
    CHECK(stage.site.replay({"replay", "order-5"}).out == "order-5 succeed\n");
    stage.check_end();
  }
}

}  // namespace belay::test
