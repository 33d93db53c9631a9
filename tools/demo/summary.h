// What the demo says of itself: before the run, on the way, and at the end.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "demo/audit.h"
#include "demo/conduct.h"
#include "output.h"

namespace belay::demo {

// How far the demo is: a bar for people, four lines for a log.
class Meter {
 public:
  Meter(tool::Out& out, std::size_t all) : out_(out), bar_(out, "transfers"), all_(all) {}

  void show(std::size_t done);
  void say(const std::string& line);

 private:
  tool::Out& out_;
  tool::Progress bar_;
  std::size_t all_;
  unsigned percent_ = 101;  // none yet
  unsigned shown_ = 0;
};

// A bank's process that was killed, and started again.
struct BankKill {
  BankId bank{};
  pid_t pid = 0;
  std::size_t answered = 0;  // transfers that were final by then
};

struct Summary {
  const RunSettings& settings;
  const TransferFile& file;
  const Results& results;
  const RunTotals& totals;
  const Audit& audit;
  const std::vector<BankKill>& bank_kills;
  std::size_t forecast = 0;   // transfers whose end could be told from the opening books
  std::size_t surprises = 0;  // of those, with another end
  std::string program;        // how belay was called

  // Everything is final and nothing is wrong.
  bool fine() const;
  std::size_t unfinished() const { return results.size() - results.done(); }
  double per_second() const;
};

void print_bad_rows(tool::Out& out, const std::string& path, const TransferFile& file);
void print_intro(tool::Out& out, const RunSettings& settings, const TransferFile& file);
void print_summary(tool::Out& out, const Summary& summary);
void print_json(tool::Out& out, const Summary& summary);

}  // namespace belay::demo
