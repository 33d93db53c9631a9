#include "demo/counter.h"

#include <algorithm>

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
  for (std::size_t i = 0; i < kServices.size(); ++i) {
    desks_[i] = {this, &kServices[i]};
    const auto name = std::string(name_of(id_)) + "." + std::string(kServices[i].what);
    BELAY_TRY(engine.handle_async(name, &on_call, &desks_[i]));
  }
  return {};
}

void Counter::on_call(const Call& call, Reply reply, void* desk) {
  const auto& [counter, service] = *static_cast<Desk*>(desk);
  counter->take({leg_of(call, service->side, service->mode), std::move(reply), {}});
}

void Counter::ask(Leg leg, std::function<void(Outcome)> done) {
  take({std::move(leg), std::nullopt, std::move(done)});
}

void Counter::take(Job job) {
  bool idle = false;
  {
    const std::lock_guard lock(mutex_);
    idle = jobs_.empty();
    jobs_.push_back(std::move(job));
  }
  if (idle) wake_.notify_one();
}

void Counter::Job::answer(Outcome outcome) {
  if (reply) {
    reply->complete(std::move(outcome));
  } else {
    done(std::move(outcome));
  }
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

// Back-checks bar what has not come, each in a transaction of its own; they are few.
void Counter::settle(std::vector<Job>& jobs) {
  const auto asks = [](const Job& job) { return job.leg.op == Op::query; };
  const auto batch_end = std::stable_partition(jobs.begin(), jobs.end(), std::not_fn(asks));
  std::vector<Outcome> outcomes;
  outcomes.reserve(jobs.size());
  auto result = bank_.begin();
  if (result) {
    for (auto job = jobs.begin(); job != batch_end; ++job)
      outcomes.push_back(bank_.perform(job->leg));
    result = bank_.commit();
  }
  auto outcome = outcomes.begin();
  for (auto job = jobs.begin(); job != batch_end; ++job) {
    job->answer(result ? std::move(*outcome++) : Outcome::unknown(result.error().detail));
  }
  for (auto job = batch_end; job != jobs.end(); ++job) job->answer(bank_.was_debited(job->leg.gid));
}

}  // namespace belay::demo
