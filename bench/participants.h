// The services of the bench: handlers that answer at once and count how often each branch was
// called for each operation. They run on the engine's loop; the counts may be read when nothing is
// in flight any more.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "belay/call.h"
#include "belay/engine.h"
#include "settings.h"

namespace belay::bench {

inline constexpr const char* kDo = "bench.do";
inline constexpr const char* kRefuse = "bench.refuse";
inline constexpr const char* kUndo = "bench.undo";
inline constexpr const char* kConfirm = "bench.confirm";

enum class Asked : std::uint8_t { to_do, to_refuse, to_undo, to_confirm };
inline constexpr std::size_t kAsked = 4;

class Participants {
 public:
  // `first_branch`: the number of the first branch that is ever called.
  explicit Participants(const Settings& settings, std::uint32_t first_branch = 1);
  Participants(const Participants&) = delete;
  Participants& operator=(const Participants&) = delete;

  Result<> register_on(Engine& engine);
  // Registers one more name for `kDo`.
  Result<> register_doer(Engine& engine, const std::string& name);

  std::uint64_t calls() const noexcept;
  // The last branch must have been called `last` times this way, each other branch `others` times.
  void expect(Asked asked, std::uint64_t others, std::uint64_t last,
              std::vector<std::string>& problems) const;
  // No call may have had a branch or payload that no transaction has.
  void expect_none_strange(std::vector<std::string>& problems) const;

 private:
  template <Asked kWhat>
  static Outcome answer(const Call& call, void* self);
  void count(const Call& call, Asked asked);

  const std::uint32_t branches_, first_branch_;
  const std::size_t payload_bytes_;
  std::array<std::vector<std::uint64_t>, kAsked> counts_;  // one entry for each branch
  std::uint64_t strange_calls_ = 0;
};

}  // namespace belay::bench
