// What is decided between two commits: its records, and all that is held back until they are on
// disk. There are two of the kind: the open one collects, the sealed one is with the store.
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

// A StuckNotice that is kept until it may be told.
struct StuckNote {
  std::string gid;
  Status status{};
  std::string branch_id;
  Op op{};
  std::string target;
  std::string error;
  std::uint32_t attempts = 0;
};

// Who asks whether the disk takes writes.
struct StorageCheck {
  base::Callback<std::monostate> done;
  std::uint64_t until = 0;  // monotonic
};

enum class ActKind : std::uint8_t { call, finished, accepted, branch_ended, arm };
// An effect and the transaction it belongs to; held back until the batch it was decided in is on
// disk.
struct Act {
  Live* live;
  ActKind kind;
  Op op;
  std::uint32_t branch;
};
// Callers hear of it before anything follows from
// it: what branches answer at once is not on disk yet, and would put the telling off.
struct Acts {
  std::vector<Act> answers;
  std::vector<Act> others;

  void add(const Act& act) { (act.kind == ActKind::accepted ? answers : others).push_back(act); }
};

struct OpenBatch {
  core::BatchWriter writer;
  Acts acts;
  std::vector<ports::TopicChange> topics;
  // To what is no transaction's end or word: subscriptions, remembered steps.
  std::vector<base::Callback<std::monostate>> answers;
  std::vector<StuckNote> stuck;  // for Options::on_stuck
  std::vector<StorageCheck> checks;
  std::vector<XaRealm> realms;

  // How many bytes that takes.
  std::size_t write(const core::Record& record) {
    const auto before = writer.bytes();
    writer.add(record);
    return writer.bytes() - before;
  }
};

}  // namespace belay::engine
