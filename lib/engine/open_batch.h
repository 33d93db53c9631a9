// The decisions between two commits: their records, and everything that is held back until the
// records are on disk. There are two objects of this kind: the open batch collects, the sealed
// batch is with the store.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <variant>
#include <vector>

#include "base/enter.h"
#include "belay/options.h"
#include "belay/types.h"
#include "belay/xa_realm.h"
#include "core/codec.h"
#include "engine/live.h"
#include "ports/store.h"

namespace belay::engine {

// A StuckNotice or an UnstuckNotice that is kept until it may be delivered.
struct StuckNote {
  std::string gid{};
  Status status{};
  std::string branch_id{};
  Op op{};
  std::string target{};
  std::string error{};
  std::uint32_t attempts = 0;
  std::string reason{};
  bool called = true;
  bool over = false;  // an UnstuckNotice
};

// A caller that asks whether the disk accepts writes.
struct StorageCheck {
  base::Callback<std::monostate> done;
  std::uint64_t until = 0;  // monotonic
};

enum class ActKind : std::uint8_t { call, finished, accepted, branch_ended, arm };
// An effect and its transaction. The effect is held back until the batch in which it was decided is
// on disk.
struct Act {
  Live* live;
  ActKind kind;
  Op op;
  std::uint32_t branch;
};
// The effects of a batch. The answers to callers are sent before the other effects: those can lead
// to new records (a branch may answer at once), and the answers would then have to wait until these
// are on disk.
struct Acts {
  std::vector<Act> answers;
  std::vector<Act> others;

  void add(const Act& act) { (act.kind == ActKind::accepted ? answers : others).push_back(act); }
};

struct OpenBatch {
  core::BatchWriter writer;
  Acts acts;
  std::vector<ports::TopicChange> topics;
  std::vector<ports::HoldChange> holds;
  // Callbacks of requests that do not end or decide a transaction: subscriptions, holds, recorded
  // steps.
  std::vector<base::Callback<std::monostate>> answers;
  std::vector<StuckNote> stuck;  // for Options::on_stuck and on_unstuck
  std::vector<StorageCheck> checks;
  std::vector<XaRealm> realms;
  std::vector<ports::PostedAnswer> posted;

  // True: it has something for the store.
  bool has_changes() const {
    return !writer.empty() || !topics.empty() || !holds.empty() || !posted.empty();
  }
  // Adds a record; returns the bytes that it takes.
  std::size_t write(const core::Record& record) {
    const auto before = writer.bytes();
    writer.add(record);
    return writer.bytes() - before;
  }
};

}  // namespace belay::engine
