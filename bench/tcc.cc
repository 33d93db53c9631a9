// Workload `tcc`: tries, then confirms or cancels. Declared: submitted as a whole, all tries at
// once. Driven: branch by branch, by the client's callbacks. The last try of a failing transaction
// refuses.
#include "belay/tcc.h"

#include <utility>

#include "drive.h"
#include "participants.h"
#include "workload.h"

namespace belay::bench {
namespace {

std::vector<TwoPhaseBranch> branches_of(const Settings& settings, const char* last) {
  const std::string payload(settings.payload_bytes, 'x');
  std::vector<TwoPhaseBranch> branches(settings.branches, {kDo, kConfirm, kUndo, payload});
  branches.back().first = last;
  return branches;
}

Tcc declared(const std::vector<TwoPhaseBranch>& branches) {
  Tcc tcc;
  for (const auto& branch : branches) tcc.branch(branch);
  tcc.wait_result();
  return tcc;
}

Route driven(std::vector<TwoPhaseBranch> branches) {
  const auto prepare = [](Engine& engine, ReportCallback done) {
    return engine.prepare(Tcc(), std::move(done));
  };
  return {prepare, std::move(branches)};
}

class TccWorkload : public Workload {
 public:
  explicit TccWorkload(const Settings& settings)
      : participants_(settings),
        driven_(settings.driven),
        by_succeeding_(driven(branches_of(settings, kDo))),
        by_failing_(driven(branches_of(settings, kRefuse))),
        succeeding_(declared(by_succeeding_.branches)),
        failing_(declared(by_failing_.branches)) {}

  std::string name() const override { return "tcc"; }
  Result<> register_on(Engine& engine) override { return participants_.register_on(engine); }
  Result<> set_up(Engine&) override { return {}; }
  Result<> begin(Engine& engine, bool failing, ReportCallback done) override {
    if (driven_)
      return Drive::begin(engine, failing ? by_failing_ : by_succeeding_, std::move(done));
    return engine.submit(failing ? failing_ : succeeding_, std::move(done));
  }

  std::uint64_t calls() const override { return participants_.calls(); }
  void verify(const Ends& ends, std::vector<std::string>& problems) const override {
    const auto all = ends.succeeded + ends.failed;
    participants_.expect(Asked::to_do, all, ends.succeeded, problems);
    participants_.expect(Asked::to_refuse, 0, ends.failed, problems);
    participants_.expect(Asked::to_undo, ends.failed, ends.failed, problems);
    participants_.expect(Asked::to_confirm, ends.succeeded, ends.succeeded, problems);
    participants_.expect_none_strange(problems);
  }

 private:
  Participants participants_;
  const bool driven_;
  const Route by_succeeding_, by_failing_;
  const Tcc succeeding_, failing_;
};

}  // namespace

std::unique_ptr<Workload> make_tcc(const Settings& settings) {
  return std::make_unique<TccWorkload>(settings);
}

}  // namespace belay::bench
