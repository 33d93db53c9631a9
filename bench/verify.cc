#include "verify.h"

#include <fmt/format.h>

#include "belay/reader.h"

namespace belay::bench {
namespace {

bool is_kept(Status status, History history) {
  if (history == History::all) return true;
  return history == History::failed && status == Status::failed;
}

void compare(std::string_view what, std::uint64_t seen, std::uint64_t wanted,
             const Expected& expected, std::vector<std::string>& problems) {
  if (seen == wanted || (expected.retention_ran && seen < wanted)) return;
  problems.push_back(
      fmt::format("the file holds {} {} transactions instead of {}", seen, what, wanted));
}

void verify_sample(Reader& reader, const Sample& sample, const Expected& expected, bool folded,
                   std::vector<std::string>& problems) {
  const auto row = reader.find(sample.gid);
  const bool kept = !is_final(sample.status) || is_kept(sample.status, expected.history);
  if (!row) {
    if (kept && !expected.retention_ran)
      problems.push_back(sample.gid + " was answered and is not in the file");
    return;
  }
  if (!kept && folded)
    problems.push_back(sample.gid + " is in the file although its history is not kept");
  if (row->status == sample.status) return;
  problems.push_back(fmt::format("{} was answered as {} and is {} in the file", sample.gid,
                                 name_of(sample.status), name_of(row->status)));
}

}  // namespace

void verify_file(const std::string& path, const Expected& expected,
                 std::vector<std::string>& problems) {
  auto reader = Reader::open(path);
  if (!reader) return problems.push_back("the state file cannot be read: " + reader.error().detail);
  const auto stats = reader->stats();
  if (!stats)
    return problems.push_back("the state file's figures cannot be read: " + stats.error().detail);
  const bool keeps_good = is_kept(Status::succeed, expected.history);
  const bool keeps_bad = is_kept(Status::failed, expected.history);
  // Transactions in a log that is not folded are counted whether their history is kept or not.
  const bool folded = stats->log_rows <= 1;
  if (keeps_good || folded) {
    compare("succeeded", stats->succeed, keeps_good ? expected.succeeded : 0, expected, problems);
  }
  if (keeps_bad || folded) {
    compare("failed", stats->failed, keeps_bad ? expected.failed : 0, expected, problems);
  }
  const auto unfinished = stats->prepared + stats->submitted + stats->aborting;
  if (unfinished != expected.unfinished) {
    problems.push_back(fmt::format("the file holds {} unfinished transactions instead of {}",
                                   unfinished, expected.unfinished));
  }
  for (const auto& sample : expected.samples) {
    verify_sample(*reader, sample, expected, folded, problems);
  }
}

std::string hash_of(const std::string& text) {
  std::uint64_t hash = 0xcbf29ce484222325U;
  for (const char c : text) hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001b3U;
  return fmt::format("{:016x}", hash);
}

}  // namespace belay::bench
