// Workload `msg`: messages to a number of targets, by name or through a topic; submitted at once,
// or prepared and then submitted. A failing message is prepared and then aborted, and is delivered
// to no target.
#include "belay/msg.h"

#include <utility>

#include <fmt/format.h>

#include "drive.h"
#include "participants.h"
#include "workload.h"

namespace belay::bench {
namespace {

constexpr const char* kTopic = "bench.news";

std::string subscriber(std::uint32_t number) { return fmt::format("bench.subscriber-{}", number); }

class MsgWorkload : public Workload {
 public:
  // The topic itself is the first branch; the branches after it are the subscribers.
  explicit MsgWorkload(const Settings& settings)
      : settings_(settings),
        participants_(settings, settings.topic ? 2 : 1),
        payload_(settings.payload_bytes, 'x'),
        at_once_(message()),
        by_submit_(route(false)),
        by_abort_(route(true)) {}

  std::string name() const override { return "msg"; }
  Result<> register_on(Engine& engine) override {
    BELAY_TRY(participants_.register_on(engine));
    for (std::uint32_t i = 1; settings_.topic && i <= settings_.branches; ++i)
      BELAY_TRY(participants_.register_doer(engine, subscriber(i)));
    return {};
  }
  Result<> set_up(Engine& engine) override {
    for (std::uint32_t i = 1; settings_.topic && i <= settings_.branches; ++i)
      BELAY_TRY(engine.subscribe({kTopic, subscriber(i)}));
    return {};
  }
  Result<> begin(Engine& engine, bool failing, ReportCallback done) override {
    if (!settings_.prepared) return engine.submit(at_once_, std::move(done));
    return Drive::begin(engine, failing ? by_abort_ : by_submit_, std::move(done));
  }

  std::uint64_t calls() const override { return participants_.calls(); }
  void verify(const Ends& ends, std::vector<std::string>& problems) const override {
    participants_.expect(Asked::to_do, ends.succeeded, ends.succeeded, problems);
    for (const auto never : {Asked::to_refuse, Asked::to_undo, Asked::to_confirm})
      participants_.expect(never, 0, 0, problems);
    participants_.expect_none_strange(problems);
  }

 private:
  Msg message() const {
    Msg msg;
    if (settings_.topic) {
      msg.to(std::string(kTopicPrefix) + kTopic, payload_);
    } else {
      for (std::uint32_t i = 0; i < settings_.branches; ++i) msg.to(kDo, payload_);
    }
    msg.wait_result();
    return msg;
  }
  Route route(bool aborts) const {
    const auto prepare = [this](Engine& engine, ReportCallback done) {
      return engine.prepare(at_once_, std::move(done));
    };
    return {prepare, {}, aborts};
  }

  const Settings settings_;
  Participants participants_;
  const std::string payload_;
  const Msg at_once_;
  const Route by_submit_, by_abort_;
};

}  // namespace

std::unique_ptr<Workload> make_msg(const Settings& settings) {
  return std::make_unique<MsgWorkload>(settings);
}

}  // namespace belay::bench
