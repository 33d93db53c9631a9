// Workload `saga`: branches in order; the last branch of a failing saga refuses.
#include "belay/saga.h"

#include <utility>

#include "participants.h"
#include "workload.h"

namespace belay::bench {
namespace {

// Without a gid: the engine makes one, as for most callers.
Saga saga_of(const Settings& settings, const char* last) {
  const std::string payload(settings.payload_bytes, 'x');
  Saga saga;
  for (std::uint32_t i = 1; i < settings.branches; ++i) saga.step(kDo, kUndo, payload);
  saga.step(last, kUndo, payload).wait_result();
  return saga;
}

class SagaWorkload : public Workload {
 public:
  explicit SagaWorkload(const Settings& settings)
      : participants_(settings),
        succeeding_(saga_of(settings, kDo)),
        failing_(saga_of(settings, kRefuse)) {}

  std::string name() const override { return "saga"; }
  Result<> register_on(Engine& engine) override { return participants_.register_on(engine); }
  Result<> set_up(Engine&) override { return {}; }
  Result<> begin(Engine& engine, bool failing, ReportCallback done) override {
    return engine.submit(failing ? failing_ : succeeding_, std::move(done));
  }

  std::uint64_t calls() const override { return participants_.calls(); }
  void verify(const Ends& ends, std::vector<std::string>& problems) const override {
    const auto all = ends.succeeded + ends.failed;
    participants_.expect(Asked::to_do, all, ends.succeeded, problems);
    participants_.expect(Asked::to_refuse, 0, ends.failed, problems);
    participants_.expect(Asked::to_undo, ends.failed, ends.failed, problems);
    participants_.expect_none_strange(problems);
  }

 private:
  Participants participants_;
  const Saga succeeding_, failing_;
};

}  // namespace

std::unique_ptr<Workload> make_saga(const Settings& settings) {
  return std::make_unique<SagaWorkload>(settings);
}

}  // namespace belay::bench
