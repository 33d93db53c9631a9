#include "participants.h"

#include <charconv>

#include <fmt/format.h>

namespace belay::bench {
namespace {

constexpr const char* kDo = "bench.do";
constexpr const char* kRefuse = "bench.refuse";
constexpr const char* kUndo = "bench.undo";

Saga make_saga(const Settings& settings, const char* last) {
  const std::string payload(settings.payload_bytes, 'x');
  Saga saga;
  for (std::uint32_t i = 1; i < settings.branches; ++i) saga.step(kDo, kUndo, payload);
  saga.step(last, kUndo, payload).wait_result();
  return saga;
}

void expect(std::string_view what, std::size_t branch, std::uint64_t seen, std::uint64_t wanted,
            std::vector<std::string>& problems) {
  if (seen == wanted) return;
  problems.push_back(fmt::format("{} of branch {} was called {} times instead of {}", what,
                                 branch + 1, seen, wanted));
}

}  // namespace

Participants::Participants(const Settings& settings)
    : settings_(settings),
      succeeding_(make_saga(settings, kDo)),
      failing_(make_saga(settings, kRefuse)),
      done_(settings.branches),
      undone_(settings.branches),
      refused_(settings.branches) {}

Result<> Participants::register_on(Engine& engine) {
  BELAY_TRY(engine.handle(kDo, &do_it, this));
  BELAY_TRY(engine.handle(kRefuse, &refuse, this));
  BELAY_TRY(engine.handle(kUndo, &undo_it, this));
  return {};
}

void Participants::count(const Call& call, std::vector<std::uint64_t>& counts) {
  std::size_t branch = 0;
  const auto& id = call.branch_id;
  const auto end = std::from_chars(id.data(), id.data() + id.size(), branch);
  if (end.ec != std::errc{} || branch == 0 || branch > counts.size() ||
      call.payload.size() != settings_.payload_bytes) {
    ++strange_calls_;
    return;
  }
  ++counts[branch - 1];
}

Outcome Participants::do_it(const Call& call, void* self) {
  auto* participants = static_cast<Participants*>(self);
  participants->count(call, participants->done_);
  return Outcome::success();
}

Outcome Participants::refuse(const Call& call, void* self) {
  auto* participants = static_cast<Participants*>(self);
  participants->count(call, participants->refused_);
  return Outcome::failure("refused");
}

Outcome Participants::undo_it(const Call& call, void* self) {
  auto* participants = static_cast<Participants*>(self);
  participants->count(call, participants->undone_);
  return Outcome::success();
}

std::uint64_t Participants::calls() const noexcept {
  std::uint64_t sum = strange_calls_;
  for (const auto* counts : {&done_, &undone_, &refused_}) {
    for (const auto count : *counts) sum += count;
  }
  return sum;
}

void Participants::verify(std::uint64_t succeeded, std::uint64_t failed,
                          std::vector<std::string>& problems) const {
  for (std::size_t i = 0; i < settings_.branches; ++i) {
    const bool last = i + 1 == settings_.branches;
    expect("the action", i, done_[i], last ? succeeded : succeeded + failed, problems);
    expect("the refusing action", i, refused_[i], last ? failed : 0, problems);
    expect("the compensation", i, undone_[i], failed, problems);
  }
  if (strange_calls_ > 0)
    problems.push_back(fmt::format("{} calls were not of any saga", strange_calls_));
}

}  // namespace belay::bench
