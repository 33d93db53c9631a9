#include "demo/counter.h"

#include "demo/payload.h"

namespace belay::demo {

Counter::Counter(Bank bank, BankId id)
    : bank_(std::move(bank)), id_(id), thread_([this] { work(); }) {}

Counter::~Counter() {
  {
    const std::lock_guard lock(mutex_);
    closing_ = true;
  }
  wake_.notify_one();
  thread_.join();
}

Result<> Counter::serve(Engine& engine) {
  const std::string name(name_of(id_));
  BELAY_TRY(engine.handle_async(name + ".debit", &on_call, &debit_));
  BELAY_TRY(engine.handle_async(name + ".undo_debit", &on_call, &debit_));
  BELAY_TRY(engine.handle_async(name + ".credit", &on_call, &credit_));
  return engine.handle_async(name + ".undo_credit", &on_call, &credit_);
}

void Counter::on_call(const Call& call, Reply reply, void* desk) {
  const auto& [counter, side] = *static_cast<Desk*>(desk);
  auto leg = leg_of(call, side);
  bool idle = false;
  {
    const std::lock_guard lock(counter->mutex_);
    idle = counter->jobs_.empty();
    counter->jobs_.push_back({std::move(leg), std::move(reply)});
  }
  if (idle) counter->wake_.notify_one();
}

void Counter::work() {
  std::vector<Job> jobs;
  for (;;) {
    {
      std::unique_lock lock(mutex_);
      wake_.wait(lock, [this] { return closing_ || !jobs_.empty(); });
      if (jobs_.empty()) return;
      jobs.swap(jobs_);
    }
    settle(jobs);
    jobs.clear();
  }
}

void Counter::settle(std::vector<Job>& jobs) {
  std::vector<Outcome> outcomes;
  outcomes.reserve(jobs.size());
  auto result = bank_.begin();
  if (result) {
    for (const auto& job : jobs) outcomes.push_back(bank_.perform(job.leg));
    result = bank_.commit();
  }
  for (std::size_t i = 0; i < jobs.size(); ++i) {
    jobs[i].reply.complete(result ? std::move(outcomes[i])
                                  : Outcome::unknown(result.error().detail));
  }
}

}  // namespace belay::demo
