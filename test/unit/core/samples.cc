#include "unit/core/samples.h"

#include <deque>
#include <limits>
#include <utility>
#include <variant>

#include "belay/check.h"
#include "core/apply.h"
#include "core/codec.h"
#include "support/encode.h"

namespace belay::test {
namespace {

constexpr auto kMax = std::numeric_limits<std::uint64_t>::max();
constexpr auto kMax32 = std::numeric_limits<std::uint32_t>::max();

Retry some_retry(int seed) {
  return {.first_interval = Millis{100 + seed},
          .multiplier = 1.5,
          .interval_max = Millis{60'000},
          .jitter = 0.25,
          .limit = 7,
          .ongoing_interval = Millis{2'000}};
}

}  // namespace

Saga rich_saga() {
  Saga saga("order-42");
  saga.step("bank.debit", "bank.undo_debit", std::string("{\"amount\":30}\0", 14),
            {.retry = some_retry(1),
             .request_timeout = Millis{1'500},
             .headers = {{"token", "a"}, {"token", "b"}}});
  saga.step("stock.reserve", "stock.release", "");
  saga.step("", "mail.excuse", "caf\xc3\xa9");
  saga.order(2, {1}).order(3, {1, 2, 1});
  saga.delay(Millis{250})
      .timeout_to_fail(Millis{30'000})
      .request_timeout(Millis{3'000})
      .retry(some_retry(0));
  saga.header("tenant", "7")
      .custom_data("by the caller")
      .trace_parent("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01");
  return saga;
}

Tcc rich_tcc() {
  Tcc tcc("order-43");
  tcc.branch(
      "seat.try", "seat.confirm", "seat.cancel", "7A",
      {.retry = some_retry(2), .request_timeout = Millis{1'500}, .headers = {{"token", "a"}}});
  tcc.branch({.first = "meal.try", .commit = "", .rollback = "meal.cancel"});
  tcc.in_order().timeout_to_fail(Millis{20'000}).retry(some_retry(0)).header("tenant", "7");
  return tcc;
}

Xa named_xa() {
  Xa xa("order-45");
  xa.branch({.first = "stock.take",
             .commit = "stock.commit",
             .rollback = "stock.rollback",
             .payload = "7",
             .branch_id = "0101"});
  return xa.branch("bank.take", "bank.commit", "bank.rollback");
}

Msg rich_msg() {
  Msg msg("order-44");
  msg.to("mail.send", "welcome", {.retry = some_retry(3)});
  msg.to("topic://orders", "{\"order\":44}");
  msg.query("orders.committed").concurrent().delay(Millis{250}).custom_data("by the caller");
  return msg;
}

Workflow rich_workflow() {
  Workflow workflow("order-46");
  workflow.callback("shop.resume", "order", std::string_view("{\"cart\":7}\0", 11))
      .retry(some_retry(0))
      .header("tenant", "7")
      .custom_data("by the caller");
  return workflow;
}

std::string encoded(Description description, core::Entry entry) {
  const auto gid = std::visit([](const auto* one) { return one->gid(); }, description.any());
  auto bytes = encode(description, gid, Limits{}, entry);
  BELAY_CHECK(bytes.has_value());
  return *std::move(bytes);
}

core::Definition parsed(const Saga& saga) {
  auto definition = core::Definition::parse(encoded(saga));
  BELAY_CHECK(definition.has_value());
  return *std::move(definition);
}

std::vector<core::Record> extreme_records() {
  using core::RecordKind;
  static const std::string definition = encoded(rich_saga());
  static const std::string reason(core::kReasonBytesMax, '\0');
  return {
      {.kind = RecordKind::submitted, .id = 1, .at = 1'700'000'000'000, .text = definition},
      {.kind = RecordKind::submitted, .id = kMax, .at = 0, .text = ""},
      {.kind = RecordKind::started, .id = 0, .at = kMax, .branch = kMax32, .op = Op::compensate},
      {.kind = RecordKind::answered,
       .id = 1,
       .at = 1'700'000'000'001,
       .branch = 0,
       .outcome = OutcomeKind::success},
      {.kind = RecordKind::answered,
       .id = kMax / 2,
       .at = 5,
       .branch = kMax32,
       .op = Op::compensate,
       .outcome = OutcomeKind::unknown,
       .due_at = kMax,
       .text = reason},
      {.kind = RecordKind::answered,
       .id = 3,
       .at = 4,
       .outcome = OutcomeKind::failure,
       .text = "no"},
      {.kind = RecordKind::answered,
       .id = 3,
       .at = 4,
       .outcome = OutcomeKind::ongoing,
       .due_at = 1},
      {.kind = RecordKind::parked,
       .id = 2,
       .at = 3,
       .branch = 999,
       .op = Op::action,
       .text = "who?"},
      {.kind = RecordKind::aborting, .id = 2, .at = 2, .text = reason},
      {.kind = RecordKind::finished, .id = 2, .at = 1, .status = Status::failed},
      {.kind = RecordKind::finished, .id = 9, .at = 1, .status = Status::succeed},
      {.kind = RecordKind::prepared, .id = 10, .at = 2, .text = definition},
      {.kind = RecordKind::added, .id = 10, .at = 3, .text = "a step"},
      {.kind = RecordKind::started, .id = 10, .at = 3, .branch = 7, .op = Op::query},
      {.kind = RecordKind::committing, .id = 10, .at = 4, .due_at = kMax},
      {.kind = RecordKind::stopped, .id = 10, .at = 5, .text = reason},
      {.kind = RecordKind::progressed, .id = 11, .at = 5, .text = reason},
      {.kind = RecordKind::concluded, .id = 11, .at = 6, .text = reason},
      {.kind = RecordKind::hastened, .id = 11, .at = 6, .text = reason},
      {.kind = RecordKind::resolved,
       .id = 11,
       .at = 6,
       .branch = kMax32,
       .op = Op::compensate,
       .outcome = OutcomeKind::failure,
       .text = reason},
      {.kind = RecordKind::edited,
       .id = 11,
       .at = 6,
       .branch = kMax32,
       .op = Op::try_,
       .text = reason},
      {.kind = RecordKind::scheduled,
       .id = 11,
       .at = 7,
       .branch = kMax32,
       .op = Op::query,
       .due_at = kMax},
  };
}

std::string sealed(const std::vector<core::Record>& records) {
  core::BatchWriter writer;
  for (const auto& record : records) writer.add(record);
  return writer.take();
}

Result<std::vector<core::Record>> unsealed(std::string_view batch) {
  auto reader = core::BatchReader::open(batch);
  if (!reader) return reader.error();
  std::vector<core::Record> records;
  for (;;) {
    auto record = reader->next();
    if (!record) return record.error();
    if (!*record) return records;
    records.push_back(**record);
  }
}

bool same(const core::Record& a, const core::Record& b) {
  const auto& [kind, id, at, branch, op, outcome, status, due_at, text] = a;
  return kind == b.kind && id == b.id && at == b.at && branch == b.branch && op == b.op &&
         outcome == b.outcome && status == b.status && due_at == b.due_at && text == b.text;
}

core::Transaction rich_transaction() {
  using core::RecordKind;
  const auto definition = encoded(rich_saga());
  auto transaction = core::begin(
      {.kind = RecordKind::submitted, .id = 77, .at = 1'700'000'000'000, .text = definition});
  BELAY_CHECK(transaction.has_value());
  const auto apply = [&](core::Record record) {
    record.id = 77;
    record.at = transaction->updated_at + 300;
    BELAY_CHECK(core::apply(*transaction, record).has_value());
  };
  for (std::uint32_t i = 0; i < 3; ++i) {
    apply({.kind = RecordKind::started, .branch = i});
    if (i < 2) apply({.kind = RecordKind::answered, .branch = i, .outcome = OutcomeKind::success});
  }
  apply({.kind = RecordKind::answered,
         .branch = 2,
         .outcome = OutcomeKind::failure,
         .text = "closed"});
  apply({.kind = RecordKind::aborting, .text = "branch 03 (): closed"});
  for (std::uint32_t i = 3; i-- > 0;)
    apply({.kind = RecordKind::started, .branch = i, .op = Op::compensate});
  apply({.kind = RecordKind::answered,
         .branch = 2,
         .op = Op::compensate,
         .outcome = OutcomeKind::success});
  apply({.kind = RecordKind::answered,
         .branch = 1,
         .op = Op::compensate,
         .outcome = OutcomeKind::unknown,
         .due_at = 1'700'000'099'000,
         .text = "HTTP 502"});
  apply({.kind = RecordKind::parked, .branch = 0, .op = Op::compensate, .text = "no handler"});
  return *std::move(transaction);
}

namespace {

core::Transaction folded(core::TransactionId id, const std::string& definition,
                         std::vector<core::Record> records) {
  auto transaction = core::begin(
      {.kind = core::RecordKind::prepared, .id = id, .at = 1'700'000'000'000, .text = definition});
  BELAY_CHECK(transaction.has_value());
  for (auto& record : records) {
    record.id = id;
    BELAY_CHECK(core::apply(*transaction, record).has_value());
  }
  return *std::move(transaction);
}

// A step's bytes, which live as long as the program.
std::string_view added_step(std::string_view name) {
  static std::deque<std::string> steps;
  const std::string base(name);
  TwoPhaseBranch branch;
  branch.first = base + ".try";
  branch.commit = base + ".confirm";
  branch.rollback = base + ".cancel";
  branch.payload = "one";
  auto bytes = core::encode_branch(branch, Limits{});
  BELAY_CHECK(bytes.has_value());
  return steps.emplace_back(*std::move(bytes));
}

}  // namespace

std::vector<core::Record> driven_records() {
  using core::RecordKind;
  constexpr std::uint64_t kAt = 1'700'000'000'300;
  static const auto hotel = added_step("hotel");
  static const auto car = added_step("car");
  return {
      {.kind = RecordKind::started, .id = 1, .at = kAt, .branch = 0, .op = Op::try_},
      {.kind = RecordKind::answered, .id = 1, .at = kAt + 1, .branch = 0, .op = Op::try_},
      {.kind = RecordKind::started, .id = 1, .at = kAt + 1, .branch = 1, .op = Op::try_},
      {.kind = RecordKind::answered, .id = 1, .at = kAt + 2, .branch = 1, .op = Op::try_},
      {.kind = RecordKind::added, .id = 1, .at = kAt + 5, .text = hotel},
      {.kind = RecordKind::started, .id = 1, .at = kAt + 5, .branch = 2, .op = Op::try_},
      {.kind = RecordKind::answered,
       .id = 1,
       .at = kAt + 6,
       .branch = 2,
       .op = Op::try_,
       .outcome = OutcomeKind::failure,
       .text = "full"},
      {.kind = RecordKind::added, .id = 1, .at = kAt + 7, .text = car},
      {.kind = RecordKind::started, .id = 1, .at = kAt + 7, .branch = 3, .op = Op::try_},
      {.kind = RecordKind::answered,
       .id = 1,
       .at = kAt + 8,
       .branch = 3,
       .op = Op::try_,
       .outcome = OutcomeKind::unknown,
       .due_at = kAt + 10'008,
       .text = "HTTP 502"},
  };
}

std::vector<core::Record> operator_records() {
  using core::RecordKind;
  constexpr std::uint64_t kAt = 1'700'000'050'000;
  return {
      {.kind = RecordKind::hastened,
       .id = 1,
       .at = kAt,
       .branch = 1,
       .op = Op::compensate,
       .text = "(by ann)"},
      {.kind = RecordKind::resolved,
       .id = 1,
       .at = kAt + 3,
       .branch = 1,
       .op = Op::compensate,
       .text = "refunded"},
      {.kind = RecordKind::resolved,
       .id = 2,
       .at = kAt + 4,
       .op = Op::try_,
       .outcome = OutcomeKind::failure,
       .text = "sold out"},
      {.kind = RecordKind::edited,
       .id = 2,
       .at = kAt + 5,
       .branch = 1,
       .op = Op::cancel,
       .text = "a step and a note"},
  };
}

std::vector<core::Record> msg_records() {
  using core::RecordKind;
  constexpr std::uint64_t kAt = 1'700'000'035'000;
  static const auto subscribers = core::Definition::encode_subscriber("audit.note", 1) +
                                  core::Definition::encode_subscriber("stock.note", 1);
  return {
      {.kind = RecordKind::started, .id = 1, .at = kAt, .branch = 2, .op = Op::query},
      {.kind = RecordKind::parked,
       .id = 1,
       .at = kAt + 1,
       .branch = 2,
       .op = Op::query,
       .text = "who?"},
      {.kind = RecordKind::answered, .id = 1, .at = kAt + 9, .branch = 2, .op = Op::query},
      {.kind = RecordKind::committing, .id = 1, .at = kAt + 9, .due_at = kAt + 259},
      {.kind = RecordKind::added, .id = 1, .at = kAt + 9, .text = subscribers},
      {.kind = RecordKind::started, .id = 1, .at = kAt + 259, .branch = 0},
      {.kind = RecordKind::started, .id = 1, .at = kAt + 259, .branch = 1},
      {.kind = RecordKind::answered, .id = 1, .at = kAt + 259, .branch = 1},
      {.kind = RecordKind::started, .id = 1, .at = kAt + 259, .branch = 3},
      {.kind = RecordKind::started, .id = 1, .at = kAt + 259, .branch = 4},
      {.kind = RecordKind::answered,
       .id = 1,
       .at = kAt + 260,
       .branch = 4,
       .outcome = OutcomeKind::failure,
       .due_at = kAt + 10'260,
       .text = "closed"},
  };
}

std::vector<core::Record> workflow_records() {
  using core::RecordKind;
  constexpr std::uint64_t kAt = 1'700'000'000'300;
  static const auto step = [](const Progress& progress) {
    return *core::encode_progress(progress, Limits{});
  };
  static const auto action = step({"01", "action", "succeed", std::string("\0\xff", 2)});
  static const auto rollback = step({"01", "rollback", "failed", "full"});
  return {
      {.kind = RecordKind::scheduled, .id = 1, .at = kAt, .op = Op::query, .due_at = kAt + 10'000},
      {.kind = RecordKind::progressed, .id = 1, .at = kAt + 1, .text = action},
      {.kind = RecordKind::answered,
       .id = 1,
       .at = kAt + 10'000,
       .op = Op::query,
       .outcome = OutcomeKind::unknown,
       .due_at = kAt + 20'000,
       .text = "HTTP 502"},
      {.kind = RecordKind::progressed, .id = 1, .at = kAt + 10'001, .text = rollback},
      {.kind = RecordKind::parked, .id = 1, .at = kAt + 20'000, .op = Op::query, .text = "who?"},
  };
}

core::Transaction driven_transaction() {
  return folded(78, encoded(rich_tcc(), core::Entry::prepare), driven_records());
}

core::Transaction workflow_transaction() {
  return folded(80, encoded(rich_workflow(), core::Entry::prepare), workflow_records());
}

core::Transaction msg_transaction() {
  return folded(79, encoded(rich_msg(), core::Entry::prepare), msg_records());
}

std::string hex(std::string_view bytes) {
  static constexpr char kDigits[] = "0123456789abcdef";
  std::string text;
  for (const char byte : bytes) {
    text.push_back(kDigits[static_cast<std::uint8_t>(byte) >> 4]);
    text.push_back(kDigits[static_cast<std::uint8_t>(byte) & 15]);
  }
  return text;
}

}  // namespace belay::test
