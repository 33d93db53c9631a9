#include "repairs_stage.h"

#include <belay/reader.h>
#include <doctest/doctest.h>

#include <algorithm>
#include <charconv>
#include <csignal>
#include <cstdlib>
#include <fstream>
#include <optional>
#include <sstream>

#include "served.h"

namespace belay::test {
namespace {

using namespace std::chrono_literals;

constexpr auto kLife = 10min;  // of a program or a server
constexpr int kAmountBytesMax = 9;

std::int64_t now_ms() {
  return std::chrono::duration_cast<std::chrono::milliseconds>(
             std::chrono::system_clock::now().time_since_epoch())
      .count();
}

std::optional<int> amount_in(const std::string& payload) {
  constexpr std::string_view kKey = R"("amount":)";
  const auto key = payload.find(kKey);
  if (key == std::string::npos) return std::nullopt;
  const auto* from = payload.data() + key + kKey.size();
  int amount = 0;
  const auto read = std::from_chars(
      from, std::min(from + kAmountBytesMax, payload.data() + payload.size()), amount);
  return read.ec == std::errc() ? std::optional(amount) : std::nullopt;
}

std::string value_in(const std::string& target, const std::string& key) {
  const auto at = target.find(key + "=");
  if (at == std::string::npos) return {};
  const auto from = at + key.size() + 1;
  return target.substr(from, target.find('&', from) - from);
}

std::string driver() {
  const char* path = std::getenv("BELAY_REPAIRS_DRIVER");
  return path == nullptr ? "repairs-driver" : path;
}

// The command as a program that ends with this one.
Spawn tied_belay(Words words) {
  auto spawn = belay_spawn(std::move(words));
  spawn.argv.insert(spawn.argv.begin(), {driver(), "under"});
  spawn.limit = kPatience;
  return spawn;
}

std::string text_of(const Json& value) {
  return value.is_string() ? value.get<std::string>() : std::string();
}

std::vector<Json> lines_of(const std::string& text) {
  std::vector<Json> lines;
  std::istringstream stream(text);
  for (std::string line; std::getline(stream, line);) lines.push_back(Json::parse(line));
  return lines;
}

Words words_of(const std::string& command) {
  Words words;
  std::istringstream stream(command);
  for (std::string word; stream >> word;) words.push_back(word);
  return words;
}

}  // namespace

void UrlBank::answer(const std::string& path, int status, const std::string& why) {
  const std::lock_guard lock(mutex_);
  if (status == 200) broken_.erase(path);
  if (status != 200) broken_[path] = {status, why};
}

void UrlBank::put_back_by_hand(const std::string& gid) {
  const std::lock_guard lock(mutex_);
  balance_ -= std::exchange(moved_[gid], 0);
}

int UrlBank::balance() const {
  const std::lock_guard lock(mutex_);
  return balance_;
}

PeerAnswer UrlBank::answer_to(const PeerRequest& request) {
  const std::lock_guard lock(mutex_);
  const auto path = request.target.substr(0, request.target.find('?'));
  if (const auto broken = broken_.find(path); broken != broken_.end())
    return say(broken->second.first, broken->second.second);
  const auto amount = amount_in(request.body);
  if (!amount) return say(unfit_, "the payload has no amount");
  auto& moved = moved_[value_in(request.target, "gid")];
  const int change = path == "/undo" ? -moved : path == "/debit" ? -*amount : *amount;
  balance_ += change;
  moved += change;
  return say(200);
}

Json transfer(const std::string& gid, const UrlBank& payer, const UrlBank& payee,
              const std::string& second) {
  const auto step = [](const UrlBank& bank, const char* action) {
    return Json{{"action", bank.url(action)}, {"compensate", bank.url("/undo")}};
  };
  return {{"gid", gid},
          {"trans_type", "saga"},
          {"steps", {step(payer, "/debit"), step(payee, "/credit")}},
          {"payloads", {R"({"amount":30})", second}},
          {"retry_interval", 3'600}};
}

RepairSite::RepairSite(Where where, Words program) : where_(where), began_(now_ms()) {
  const bool has_no_program = where == Where::served && program.empty();
  has_no_program ? run_server() : run_program(program);
}

void RepairSite::run_program(const Words& words) {
  Spawn spawn = belay_spawn(words);
  spawn.argv.front() = db_;
  spawn.argv.insert(spawn.argv.begin(), driver());
  spawn.limit = kLife;
  process_ = std::make_unique<Process>(spawn);
  REQUIRE(process_->wait_for_output("open", kPatience));
}

void RepairSite::end_program(int signal) {
  process_->kill(signal);
  const auto end = process_->wait();
  CHECK_MESSAGE((end.exit_code == 0 || end.signal == signal), end.err);
  process_.reset();
}

void RepairSite::run_server() {
  // Only the one token may repair.
  const auto tokens = dir_.file("tokens");
  std::ofstream(tokens) << "screen:read:token-of-the-screen\nops:admin:token-of-ops\n";
  std::ofstream(dir_.file("token")) << "token-of-ops\n";
  std::ofstream(dir_.file("token-to-read")) << "token-of-the-screen\n";
  const auto address = "127.0.0.1:" + std::to_string(free_port());
  url_ = "http://" + address;
  auto serve = tied_belay({"serve", "--db", db_, "--listen", address, "--token-file", tokens,
                           "--stuck-after", "1", "--retry-interval-max", "1h"});
  serve.limit = kLife;
  process_ = std::make_unique<Process>(serve);
  REQUIRE(process_->wait_for_output("listening", kPatience));
}

void RepairSite::stage(const Json& definition) {
  hand_in(definition, is_served() ? Words{"--server", url_, "--token-file", dir_.file("token")}
                                  : Words{"--db", db_});
}

void RepairSite::stage_in_file(const Json& definition) { hand_in(definition, {"--db", db_}); }

void RepairSite::hand_in(const Json& definition, Words where) {
  where.insert(where.begin(), {"submit", "-"});
  auto submit = tied_belay(std::move(where));
  submit.input = definition.dump();
  const auto done = run(submit);
  REQUIRE_MESSAGE(done.exit_code == 0, done.err);
  // Other branches may be called a moment longer: until then there are several causes.
  REQUIRE(until([&] { return is_only_one_stuck(definition.at("gid")); }));
  if (where_ == Where::dead) end_program(SIGKILL);
}

bool RepairSite::is_only_one_stuck(const std::string& gid) {
  const auto group = group_of_stuck();
  return group.is_object() && group.at("gid") == gid;
}

bool RepairSite::becomes(const std::string& gid, std::string_view status) {
  return until([&] {
    auto reader = Reader::open(db_);
    const auto row = reader ? reader->find(gid) : Result<TransactionRow>(reader.error());
    return row && name_of(row->status) == status;
  });
}

Finished RepairSite::look(Words words) const {
  words.insert(words.end(), {"--db", db_});
  return run(tied_belay(std::move(words)));
}

Finished RepairSite::ask(Words words) {
  if (!is_served()) return look(std::move(words));
  words.insert(words.end(), {"--server", url_, "--token-file", dir_.file("token")});
  return run(tied_belay(std::move(words)));
}

Finished RepairSite::read(Words words) const {
  if (!is_served()) return look(std::move(words));
  words.insert(words.end(), {"--server", url_, "--token-file", dir_.file("token-to-read")});
  return run(tied_belay(std::move(words)));
}

Finished RepairSite::replay(Words words) {
  words.insert(words.end(), {"--reason", kReason, "--ticket", kTicket});
  return ask(std::move(words));
}

Finished RepairSite::decide(Words words) {
  words.insert(words.end(), {"--reason", kReason, "--ticket", kTicket, "--yes"});
  return ask(std::move(words));
}

Json RepairSite::group_of_stuck() {
  const auto groups = lines_of(read({"stuck", "--by", "error", "--json"}).out);
  return groups.size() == 1 ? groups[0] : Json();
}

// What a person reads is what a program reads.
Json RepairSite::why(const std::string& gid) {
  const auto shown = read({"why", gid});
  CHECK(shown.exit_code == 0);
  auto said = Json::parse(read({"why", gid, "--json"}).out);
  for (const std::string help : said.at("helps")) {
    // The time until the next attempt goes on.
    const auto words = help.substr(0, help.find(", instead of"));
    CHECK_MESSAGE(contains(shown.out, "  - " + words), shown.out);
  }
  return said;
}

Told RepairSite::told(const std::string& gid) {
  const auto said = why(gid);
  Told told;
  told.stuck = said.at("stuck");
  told.summary = said.at("summary");
  told.engine = text_of(said.at("engine"));
  told.helps = said.at("helps");
  const auto group = group_of_stuck();
  if (group.is_object() && group.at("gid") == gid) told.cause = text_of(group.at("last_error"));
  if (said.at("waits").empty()) return told;
  const auto& wait = said.at("waits")[0];
  told.waits_for = text_of(wait.at("branch_id")) + " " + text_of(wait.at("op")) + " " +
                   text_of(wait.at("target"));
  told.meaning = wait.at("meaning");
  if (!wait.at("answers").empty()) told.answer = text_of(wait.at("answers").back().at("detail"));
  return told;
}

Json RepairSite::timeline(const std::string& gid) {
  return lines_of(read({"log", gid, "--json"}).out);
}

bool RepairSite::remembers(const std::string& gid, std::string_view event, std::string_view why) {
  const std::string who = is_served() ? "(by ops via 127.0.0.1, says \"" : "(by ";
  const auto lines = timeline(gid);
  for (const auto& line : lines) {
    if (line.at("event") != event) continue;
    const auto detail = text_of(line.at("detail"));
    const bool is_timed = line.at("at") >= began_ && line.at("at") <= now_ms();
    if (is_timed && contains(detail, why) && contains(detail, who)) return true;
  }
  MESSAGE(event << " is not in " << lines.dump(2));
  return false;
}

std::string RepairSite::file_with(const std::string& text) {
  const auto path = dir_.file("corrected.json");
  std::ofstream(path) << text;
  return path;
}

std::string RepairSite::book() const {
  std::stringstream text;
  text << std::ifstream(db_ + ".book").rdbuf();
  return text.str();
}

Words advised(const Told& told, const std::string& verb) {
  const auto begin = "`belay " + verb + " ";
  for (const auto& help : told.helps) {
    const auto from = help.find(begin);
    if (from == std::string::npos) continue;
    const auto command = help.substr(from + 1, help.find('`', from + 1) - from - 1);
    auto words = words_of(command);
    words.erase(words.begin());
    return words;
  }
  FAIL("nothing says `belay " << verb << " …`: " << Json(told.helps).dump(2));
  return {};
}

Words advised(const Told& told, const std::string& verb, const std::string& placeholder,
              const std::string& word) {
  auto words = advised(told, verb);
  const auto place = std::find(words.begin(), words.end(), placeholder);
  REQUIRE(place != words.end());
  *place = word;
  return words;
}

}  // namespace belay::test
