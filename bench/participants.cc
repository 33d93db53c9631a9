#include "participants.h"

#include <charconv>

#include <fmt/format.h>

namespace belay::bench {
namespace {

constexpr std::array<const char*, kAsked> kNames = {"do it", "refuse", "undo it", "confirm it"};

}  // namespace

Participants::Participants(const Settings& settings, std::uint32_t first_branch)
    : branches_(settings.branches),
      first_branch_(first_branch),
      payload_bytes_(settings.payload_bytes) {
  for (auto& counts : counts_) counts.resize(branches_);
}

Result<> Participants::register_on(Engine& engine) {
  BELAY_TRY(engine.handle(kDo, &answer<Asked::to_do>, this));
  BELAY_TRY(engine.handle(kRefuse, &answer<Asked::to_refuse>, this));
  BELAY_TRY(engine.handle(kUndo, &answer<Asked::to_undo>, this));
  BELAY_TRY(engine.handle(kConfirm, &answer<Asked::to_confirm>, this));
  return {};
}

Result<> Participants::register_doer(Engine& engine, const std::string& name) {
  return engine.handle(name, &answer<Asked::to_do>, this);
}

template <Asked kWhat>
Outcome Participants::answer(const Call& call, void* self) {
  static_cast<Participants*>(self)->count(call, kWhat);
  return kWhat == Asked::to_refuse ? Outcome::failure("refused") : Outcome::success();
}

void Participants::count(const Call& call, Asked asked) {
  std::uint32_t branch = 0;
  const auto& id = call.branch_id;
  const auto end = std::from_chars(id.data(), id.data() + id.size(), branch);
  if (end.ec != std::errc{} || branch < first_branch_ || branch >= first_branch_ + branches_ ||
      call.payload.size() != payload_bytes_) {
    ++strange_calls_;
    return;
  }
  ++counts_[static_cast<std::size_t>(asked)][branch - first_branch_];
}

std::uint64_t Participants::calls() const noexcept {
  std::uint64_t sum = strange_calls_;
  for (const auto& counts : counts_) {
    for (const auto count : counts) sum += count;
  }
  return sum;
}

void Participants::expect(Asked asked, std::uint64_t others, std::uint64_t last,
                          std::vector<std::string>& problems) const {
  const auto which = static_cast<std::size_t>(asked);
  for (std::size_t i = 0; i < branches_; ++i) {
    const auto wanted = i + 1 == branches_ ? last : others;
    if (counts_[which][i] == wanted) continue;
    problems.push_back(fmt::format("branch {} was asked to {} {} times instead of {}",
                                   i + first_branch_, kNames[which], counts_[which][i], wanted));
  }
}

void Participants::expect_none_strange(std::vector<std::string>& problems) const {
  if (strange_calls_ > 0)
    problems.push_back(fmt::format("{} calls were not of any transaction", strange_calls_));
}

}  // namespace belay::bench
