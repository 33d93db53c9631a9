#include "demo/audit.h"

#include <fmt/format.h>

#include <unordered_map>

#include "belay/reader.h"

namespace belay::demo {
namespace {

constexpr std::size_t kProblemsKept = 10;
constexpr std::uint32_t kPageRows = 10'000;

// Each finds rows that should not be; the first column says which.
struct BookCheck {
  const char* sql;
  const char* meaning;
};
constexpr BookCheck kBookChecks[] = {
    {R"(SELECT 'account ' || account FROM accounts LEFT JOIN
          (SELECT account, sum(cents) AS moved FROM postings GROUP BY account) USING (account)
        WHERE balance_cents <> opening_cents + coalesce(moved, 0))",
     "its balance is not its opening and its postings"},
    {R"(SELECT gid || ' branch ' || branch_id || ' ' || op FROM postings
        GROUP BY gid, branch_id, op HAVING count(*) > 1)",
     "was posted more than once"},
    {R"(SELECT p.gid || ' branch ' || p.branch_id || ' ' || p.op FROM postings p
        LEFT JOIN barrier b ON b.gid = p.gid AND b.branch_id = p.branch_id AND b.op = p.op
          AND (b.barrier_id = '01' OR b.barrier_id LIKE '01@%') AND b.reason = p.op
        WHERE b.id IS NULL)",
     "was posted and the barrier does not know it"},
    {R"(SELECT b.gid || ' branch ' || b.branch_id || ' ' || b.op FROM barrier b
        LEFT JOIN postings p ON p.gid = b.gid AND p.branch_id = b.branch_id AND p.op = b.op
        WHERE b.op IN ('action', 'confirm', 'msg') AND b.reason = b.op AND p.id IS NULL)",
     "is in the barrier and was never posted"},
    {R"(SELECT b.gid || ' branch ' || b.branch_id || ' compensate' FROM barrier b
        JOIN barrier a ON a.gid = b.gid AND a.branch_id = b.branch_id AND a.op = 'action'
        LEFT JOIN postings p ON p.gid = b.gid AND p.branch_id = b.branch_id AND p.op = b.op
        WHERE b.op = 'compensate' AND (a.reason = 'action') <> (p.id IS NOT NULL))",
     "was undone without having been done, or not undone"},
    {R"(SELECT gid || ' branch ' || branch_id FROM barrier b WHERE op IN ('compensate', 'cancel')
        AND NOT EXISTS (SELECT 1 FROM barrier a WHERE a.gid = b.gid AND a.branch_id = b.branch_id
          AND a.op = CASE b.op WHEN 'cancel' THEN 'try' ELSE 'action' END))",
     "was undone and could still be done"},
    {R"(SELECT gid || ' branch ' || branch_id FROM barrier b WHERE op = 'confirm'
        AND NOT EXISTS (SELECT 1 FROM barrier t WHERE t.gid = b.gid AND t.branch_id = b.branch_id
          AND t.op = 'try' AND t.reason = 'try'))",
     "was confirmed without having been tried"},
    {R"(SELECT gid || ' branch ' || branch_id FROM barrier
        WHERE op IN ('confirm', 'cancel') AND reason = op
        GROUP BY gid, branch_id HAVING count(*) > 1)",
     "was confirmed and cancelled"},
    {R"(SELECT t.gid || ' branch ' || t.branch_id FROM barrier t
        LEFT JOIN holds h ON h.gid = t.gid AND h.branch_id = t.branch_id
        LEFT JOIN barrier e ON e.gid = t.gid AND e.branch_id = t.branch_id
          AND e.op IN ('confirm', 'cancel')
        WHERE t.op = 'try' AND t.reason = 'try' AND (h.gid IS NULL) <> (e.id IS NOT NULL))",
     "holds what was confirmed or cancelled, or not what was tried"},
    {R"(SELECT h.gid || ' branch ' || h.branch_id FROM holds h
        LEFT JOIN barrier t ON t.gid = h.gid AND t.branch_id = h.branch_id
          AND t.op = 'try' AND t.reason = 'try'
        WHERE t.id IS NULL)",
     "holds what was never tried"},
};
constexpr std::int64_t kSeveral = -2;  // as an account: more than one

struct Net {
  std::array<std::int64_t, kBanks> cents{};     // in each bank
  std::array<std::int64_t, kBanks> accounts{};  // whose; 0: none
  bool held = false;
  bool expected = false;
};
using Nets = std::unordered_map<std::string, Net>;  // by gid

Result<BankMoney> count_money(Sqlite& bank) {
  const auto rows = bank.ask(
      "SELECT coalesce(sum(opening_cents), 0), coalesce(sum(balance_cents), 0), "
      "count(*) FILTER (WHERE account > 0) FROM accounts");
  if (!rows) return rows.error();
  const auto& row = rows->front();
  return BankMoney{std::stoll(row[0]), std::stoll(row[1]), std::stoll(row[2])};
}

Result<> read_nets(Sqlite& bank, BankId id, Nets& nets, Audit& audit) {
  const auto postings = bank.ask("SELECT gid, account, cents FROM postings");
  if (!postings) return postings.error();
  audit.postings += postings->size();
  for (const auto& row : *postings) {
    auto& net = nets[row[0]];
    auto& known = net.accounts[index_of(id)];
    const auto account = std::stoll(row[1]);
    known = known == 0 || known == account ? account : kSeveral;
    net.cents[index_of(id)] += std::stoll(row[2]);
  }
  const auto holds = bank.ask("SELECT gid FROM holds");
  if (!holds) return holds.error();
  for (const auto& row : *holds) nets[row[0]].held = true;
  return {};
}

Result<> check_books(Sqlite& bank, const std::string& path, Audit& audit) {
  for (const auto& check : kBookChecks) {
    const auto rows = bank.ask(check.sql);
    if (!rows) return rows.error();
    for (const auto& row : *rows) {
      audit.add_problem(fmt::format("{}: {}: {}", path, row[0], check.meaning));
    }
  }
  return {};
}

bool can_credit(const Place& place, const Audit& audit) {
  const auto& bank = audit.banks[index_of(place.bank)];
  return place.account >= 1 && place.account <= bank.accounts &&
         !opening_of(place.bank, place.account).closed;
}

bool is_foreign(std::int64_t account, const Place& place) {
  return account != 0 && account != place.account;
}

void check_transfer(const Transfer& transfer, Verdict verdict, Nets& nets, Audit& audit) {
  const auto from = index_of(transfer.from.bank), to = index_of(transfer.to.bank);
  const auto gid = gid_of(transfer);
  auto& net = nets[gid];
  net.expected = true;
  audit.legs_checked += 2;
  const bool suspended = net.accounts[to] == kSuspense && !can_credit(transfer.to, audit);
  if (suspended) {
    ++audit.suspended;
    audit.suspended_cents += net.cents[to];
  }
  if (is_foreign(net.accounts[from], transfer.from) ||
      (!suspended && is_foreign(net.accounts[to], transfer.to))) {
    audit.add_problem(gid + " touched an account that is not its own");
  }
  if (verdict == Verdict::unfinished || verdict == Verdict::refused) return;
  if (net.held) audit.add_problem(gid + " is final, and a bank still holds money for it");
  const std::int64_t moved = verdict == Verdict::succeeded ? transfer.cents : 0;
  if (net.cents[from] == -moved && net.cents[to] == moved) return;
  audit.add_problem(fmt::format("{} {}, but its books say {} and {} where {} and {} are due", gid,
                                verdict == Verdict::succeeded ? "succeeded" : "was rolled back",
                                money(net.cents[from]), money(net.cents[to]), money(-moved),
                                money(moved)));
}

// What earlier files moved: it has no result here, but it has to come out even all the same.
void check_strangers(const Nets& nets, Audit& audit) {
  for (const auto& [gid, net] : nets) {
    if (net.expected) continue;
    ++audit.strangers;
    if (net.cents[0] + net.cents[1] == 0) continue;
    audit.add_problem(
        fmt::format("{} is not in the file of transfers and moved {} in one bank only", gid,
                    money(net.cents[0] + net.cents[1])));
  }
}

bool agrees(Verdict verdict, Status status) {
  if (verdict == Verdict::succeeded) return status == Status::succeed;
  return verdict == Verdict::unfinished || verdict == Verdict::refused || status == Status::failed;
}

Result<> check_statuses(const Files& files, const std::vector<Transfer>& transfers,
                        const Results& results, Audit& audit) {
  std::unordered_map<std::string, std::size_t> indices;
  for (std::size_t i = 0; i < transfers.size(); ++i) indices.emplace(gid_of(transfers[i]), i);
  auto reader = Reader::open(files.engine());
  if (!reader) return reader.error();
  Filter filter;
  filter.limit = kPageRows;
  do {
    const auto page = reader->list(filter);
    if (!page) return page.error();
    for (const auto& row : page->rows) {
      const auto found = indices.find(row.gid);
      if (found == indices.end()) continue;
      ++audit.statuses_checked;
      if (agrees(results.verdict(found->second), row.status)) continue;
      audit.add_problem(fmt::format("{} is {} in the engine's file, but its caller heard: {}",
                                    row.gid, name_of(row.status),
                                    name_of(results.verdict(found->second))));
    }
    filter.before_id = page->next_before_id;
  } while (filter.before_id != 0);
  const auto expected = results.size() - results.count(Verdict::refused);
  if (audit.statuses_checked < results.done() - results.count(Verdict::refused) ||
      audit.statuses_checked > results.size()) {
    audit.add_problem(fmt::format("the engine's file holds {} of {} transfers",
                                  audit.statuses_checked, expected));
  }
  return {};
}

}  // namespace

std::int64_t Audit::opening_cents() const {
  return banks[0].opening_cents + banks[1].opening_cents;
}

std::int64_t Audit::cents() const { return banks[0].cents + banks[1].cents; }

void Audit::add_problem(std::string problem) {
  if (problem_count++ < kProblemsKept) problems.push_back(std::move(problem));
}

Result<> audit_bank(const std::string& path, Audit& audit) {
  auto bank = Sqlite::open(path, Sqlite::Access::read);
  return bank ? check_books(*bank, path, audit) : Result<>(bank.error());
}

Result<Audit> audit(const Files& files, const std::vector<Transfer>& transfers,
                    const Results& results) {
  Audit audit;
  Nets nets;
  for (const auto id : kBankIds) {
    auto bank = Sqlite::open(files.bank(id), Sqlite::Access::read);
    if (!bank) return bank.error();
    BELAY_TRY(check_books(*bank, files.bank(id), audit));
    BELAY_TRY(read_nets(*bank, id, nets, audit));
    const auto money = count_money(*bank);
    if (!money) return money.error();
    audit.banks[index_of(id)] = *money;
  }
  for (std::size_t i = 0; i < transfers.size(); ++i) {
    check_transfer(transfers[i], results.verdict(i), nets, audit);
  }
  check_strangers(nets, audit);
  BELAY_TRY(check_statuses(files, transfers, results, audit));
  if (audit.opening_cents() != audit.cents()) {
    audit.add_problem(fmt::format("{} were in the banks before, {} are after",
                                  money(audit.opening_cents()), money(audit.cents())));
  }
  return audit;
}

}  // namespace belay::demo
