// What the repairs test plays on: banks behind URLs, real databases, and a state file that a
// program, a server or nobody has open, which an operator looks at and repairs.
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

#include "support/http_peer.h"
#include "support/process.h"

namespace belay::test {

using Json = nlohmann::json;
using Words = std::vector<std::string>;

constexpr std::chrono::minutes kPatience{2};

template <class Condition>
bool until(Condition condition) {
  const auto late = std::chrono::steady_clock::now() + kPatience;
  while (!condition()) {
    if (std::chrono::steady_clock::now() > late) return false;
    std::this_thread::yield();
  }
  return true;
}

// Has no guard against repetitions: a call too many shows in its balance. To undo what was not
// done does nothing.
class UrlBank {
 public:
  explicit UrlBank(HttpPeer::Begins begins = HttpPeer::Begins::now) : peer_(answers(), begins) {}

  std::string url(std::string_view path) const { return peer_.url(path); }
  std::string host() const { return peer_.host(); }
  void come_back() { peer_.listen(); }
  // From now on, to every call of that path; 200: it works again.
  void answer(const std::string& path, int status, const std::string& why = {});
  // To a payload without an amount.
  void answer_unfit(int status) {
    const std::lock_guard lock(mutex_);
    unfit_ = status;
  }
  void put_back_by_hand(const std::string& gid);
  int balance() const;

 private:
  HttpPeer::Answer answers() {
    return [this](const PeerRequest& request) { return answer_to(request); };
  }
  PeerAnswer answer_to(const PeerRequest& request);

  mutable std::mutex mutex_;
  int balance_ = 100;
  std::map<std::string, int> moved_;  // by gid
  std::map<std::string, std::pair<int, std::string>> broken_;
  int unfit_ = 400;
  HttpPeer peer_;
};

// Of 30, as dtm's clients submit it; `second` is the payload of the credit.
Json transfer(const std::string& gid, const UrlBank& payer, const UrlBank& payee,
              const std::string& second = R"({"amount":30})");

enum class Where { embedded, served, dead };

// What `belay stuck --by error` and `belay why` say.
struct Told {
  bool stuck = false;
  std::string cause;
  std::string waits_for;  // "02 action http://…"
  std::string answer;     // the last one
  std::string summary;
  std::string meaning;
  std::string engine;  // empty: none has the file open
  Words helps;
};

class RepairSite {
 public:
  // `program`: what the driver is told beside its file.
  explicit RepairSite(Where where, Words program = {});

  // Until it is stuck, for one cause; then, where it is dead, the program is killed.
  void stage(const Json& definition);
  // The other way in, where names of handlers are as good as URLs.
  void stage_in_file(const Json& definition);

  void run_program(const Words& words);
  void end_program(int signal);
  void run_server();

  Told told(const std::string& gid);
  // `words`, where the operator of such a site has to ask.
  Finished ask(Words words);
  // The same, with a reason.
  Finished decide(Words words);
  Finished replay(Words words);
  // On the file, whoever has it.
  Finished look(Words words) const;
  bool becomes(const std::string& gid, std::string_view status);
  // The timeline has this event: with a time since the site was made, and who asked, and why.
  bool remembers(const std::string& gid, std::string_view event, std::string_view why);

  const std::string& db() const { return db_; }
  std::string file_with(const std::string& text);
  // What handlers of the program wrote.
  std::string book() const;

 private:
  bool is_served() const { return !url_.empty(); }
  // What only reads, where the operator of such a site has to ask.
  Finished read(Words words) const;
  Json group_of_stuck();
  Json why(const std::string& gid);
  Json timeline(const std::string& gid);
  bool is_only_one_stuck(const std::string& gid);
  void hand_in(const Json& definition, Words where);

  Where where_;
  TempDir dir_;
  std::string db_ = dir_.file("state.db");
  std::string url_;  // of the server, once it runs
  std::int64_t began_;
  std::unique_ptr<Process> process_;
};

inline const std::string kReason = "customer called";
inline const std::string kTicket = "T-1234";

// The words behind `belay` of the command in backticks among what helps, which begins so.
Words advised(const Told& told, const std::string& verb);
// The same with another word in the place of `placeholder`.
Words advised(const Told& told, const std::string& verb, const std::string& placeholder,
              const std::string& word);

}  // namespace belay::test
