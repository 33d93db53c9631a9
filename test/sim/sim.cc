// The simulator's command line. A seed is a whole history: `sim --seed N` plays it again, `--trace`
// tells it.
#include <sqlite3.h>

#include <unistd.h>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <string>
#include <vector>

#include "run.h"

namespace belay::sim {
namespace {

struct Arguments {
  std::vector<std::uint64_t> seeds;
  std::uint64_t from = 1;
  std::uint64_t count = 0;
  double seconds = 0;
  bool trace = false;
  bool twice = false;
};

struct Totals {
  std::uint64_t runs = 0, lives = 0, accepted = 0, succeeded = 0, failed = 0, calls = 0,
                commits = 0, refused = 0;
  double virtual_hours = 0;
};

char last_words[96];

// A failed BELAY_CHECK aborts: the seed must be heard all the same.
extern "C" void on_abort(int signal_number) {
  static_cast<void>(!write(STDOUT_FILENO, last_words, std::strlen(last_words)));
  std::signal(signal_number, SIG_DFL);
  std::raise(signal_number);
}

bool run_seed(std::uint64_t seed, const Arguments& arguments, Totals& totals) {
  std::snprintf(last_words, sizeof last_words, "died at SEED=%llu: ./sim --seed %llu --trace\n",
                static_cast<unsigned long long>(seed), static_cast<unsigned long long>(seed));
  const auto result = Run({.seed = seed, .trace = arguments.trace}).go();
  ++totals.runs;
  totals.lives += result.lives;
  totals.accepted += result.accepted;
  totals.succeeded += result.succeeded;
  totals.failed += result.failed;
  totals.calls += result.calls;
  totals.commits += result.commits;
  totals.refused += result.refused_commits;
  totals.virtual_hours += static_cast<double>(result.virtual_ms) / 3'600'000.0;
  if (!result.failure.empty()) {
    std::printf("SEED=%llu %s\n  plan: %s\n  again: ./sim --seed %llu --trace\n",
                static_cast<unsigned long long>(seed), result.failure.c_str(), result.plan.c_str(),
                static_cast<unsigned long long>(seed));
    return false;
  }
  if (arguments.twice && Run({.seed = seed}).go().digest != result.digest) {
    std::printf("SEED=%llu is not the same history twice\n", static_cast<unsigned long long>(seed));
    return false;
  }
  return true;
}

std::uint64_t number(const char* text) { return std::strtoull(text, nullptr, 10); }

// One seed a line, then its story after a '#'.
bool read_seeds(const char* path, std::vector<std::uint64_t>& seeds) {
  std::ifstream file(path);
  if (!file) return false;
  for (std::string line; std::getline(file, line);) {
    if (!line.empty() && line[0] != '#') seeds.push_back(number(line.c_str()));
  }
  return true;
}

bool parse(int count, char** words, Arguments& arguments) {
  for (int i = 1; i < count; ++i) {
    const std::string word = words[i];
    if (word == "--trace") {
      arguments.trace = true;
    } else if (word == "--twice") {
      arguments.twice = true;
    } else if (i + 1 == count) {
      return false;
    } else if (word == "--seed") {
      arguments.seeds.push_back(number(words[++i]));
    } else if (word == "--kept") {
      if (!read_seeds(words[++i], arguments.seeds)) return false;
    } else if (word == "--from") {
      arguments.from = number(words[++i]);
    } else if (word == "--count") {
      arguments.count = number(words[++i]);
    } else if (word == "--seconds") {
      arguments.seconds = std::strtod(words[++i], nullptr);
    } else {
      return false;
    }
  }
  return true;
}

bool run_all(const Arguments& arguments, Totals& totals) {
  bool good = true;
  for (const auto seed : arguments.seeds) good = run_seed(seed, arguments, totals) && good;
  for (std::uint64_t i = 0; i < arguments.count; ++i)
    good = run_seed(arguments.from + i, arguments, totals) && good;
  if (arguments.seconds <= 0) return good;
  const auto end =
      std::chrono::steady_clock::now() + std::chrono::duration<double>(arguments.seconds);
  std::uint64_t failures = 0;
  for (auto seed = arguments.from; std::chrono::steady_clock::now() < end && failures < 5; ++seed) {
    if (!run_seed(seed, arguments, totals)) ++failures;
  }
  return good && failures == 0;
}

}  // namespace
}  // namespace belay::sim

int main(int count, char** words) {
  using namespace belay::sim;
  Arguments arguments;
  if (!parse(count, words, arguments)) {
    std::puts(
        "usage: sim [--seed N]... [--kept FILE] [--from N --count M] [--from N --seconds S] "
        "[--twice] [--trace]\n"
        "Plays the histories of the given seeds; without --from, --seconds starts at a seed of "
        "this moment.");
    return 2;
  }
  if (arguments.seconds > 0 && arguments.from == 1 && arguments.count == 0) {
    arguments.from =
        static_cast<std::uint64_t>(std::chrono::system_clock::now().time_since_epoch().count()) /
        1000;
  }
  sqlite3_config(SQLITE_CONFIG_LOOKASIDE, 0, 0);
  std::setvbuf(stdout, nullptr, _IOLBF, 0);
  std::signal(SIGABRT, on_abort);
  std::signal(SIGSEGV, on_abort);
  Totals totals;
  const bool good = run_all(arguments, totals);
  std::printf(
      "%llu runs, %llu lives, %llu sagas accepted (%llu succeeded, %llu failed), %llu calls, %llu "
      "commits (%llu refused), "
      "%.1f virtual hours: %s\n",
      static_cast<unsigned long long>(totals.runs), static_cast<unsigned long long>(totals.lives),
      static_cast<unsigned long long>(totals.accepted),
      static_cast<unsigned long long>(totals.succeeded),
      static_cast<unsigned long long>(totals.failed), static_cast<unsigned long long>(totals.calls),
      static_cast<unsigned long long>(totals.commits),
      static_cast<unsigned long long>(totals.refused), totals.virtual_hours,
      good ? "good" : "FAILED");
  return good ? 0 : 1;
}
