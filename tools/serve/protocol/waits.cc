#include "serve/protocol/waits.h"

#include <algorithm>
#include <utility>

#include "serve/protocol/context.h"
#include "serve/protocol/handlers.h"
#include "serve/protocol/reason.h"

namespace belay::protocol {
namespace {

// The state of a transaction is checked after this time, then after twice that time, and so on: a
// few times within any budget.
constexpr Millis kFirstLook{50};

// For an unfinished saga or msg dtm answers FAILURE, and for a tcc or xa an error, although the
// transaction goes on. A client that believes this answer submits the same again under another gid.
// So here only a transaction that has turned back is answered with a failure.
ApiResult answer_of_unfinished(const Report& report, const WaitPlan& plan) {
  const auto& reason = report.reason();
  const bool turned_back = report.status() == Status::aborting;
  if (turned_back && plan.wanted == Status::succeed && !reason.empty())
    return ApiResult::failure(client_reason(reason));
  const bool is_alone = plan.mode == Mode::saga || plan.mode == Mode::msg;
  if (is_alone) return ApiResult::ongoing("wait result not return success: ONGOING");
  const bool says_why = !turned_back && !reason.empty();
  return ApiResult::ongoing(says_why ? unknown_result_text(reason) : "ONGOING");
}

}  // namespace

class Wait : public std::enable_shared_from_this<Wait> {
 public:
  Wait(std::shared_ptr<Context> context, std::string gid, const WaitPlan& plan, Done done)
      : context_(std::move(context)), gid_(std::move(gid)), plan_(plan), done_(std::move(done)) {
    context_->waits.count_++;
  }

  void settle(ApiResult answer) {
    if (settled_.exchange(true)) return;
    context_->waits.count_--;
    done_(std::move(answer));
  }
  void settle(const Result<Report>& result) {
    if (!result) return settle(ApiResult::of(result.error()));
    settle(answer_of_final(*result, plan_.wanted));
  }

  void look_after(Millis delay) {
    const auto left = plan_.budget - waited_;
    const auto next = std::min(delay, left);
    waited_ += next;
    context_->deadlines.after(next, [self = shared_from_this(), delay] { self->look(delay); });
  }

 private:
  void look(Millis delay) {
    if (settled_) return;
    ask<Report>([self = shared_from_this(),
                 delay](const Result<Report>& result) { self->on_seen(result, delay); },
                [&](ReportCallback done) { return context_->engine.find(gid_, std::move(done)); });
  }

  void on_seen(const Result<Report>& result, Millis delay) {
    if (settled_) return;
    if (!result || result->finished()) return leave(result);
    // A transaction that turns back has its reason from the start, and usually ends soon.
    const bool unanswered =
        !result->reason().empty() && !plan_.is_patient && result->status() != Status::aborting;
    if (unanswered || plan_.is_delayed || waited_ >= plan_.budget)
      return leave(answer_of_unfinished(*result, plan_));
    look_after(2 * delay);
  }

  // The wait is answered before the engine reports the end.
  template <class T>
  void leave(T&& told) {
    context_->waits.remove(gid_, shared_from_this());
    settle(std::forward<T>(told));
  }

  const std::shared_ptr<Context> context_;
  const std::string gid_;
  const WaitPlan plan_;
  const Done done_;
  std::atomic<bool> settled_ = false;
  Millis waited_{0};  // until the next check
};

// dtm waits two seconds longer than the request_timeout.
Millis wait_budget(const Context& context, const TransactionRequest& request) {
  const Millis own{request.request_timeout * 1'000};
  return (own.count() != 0 ? own : context.options.request_timeout) + Millis{2'000};
}

bool Waits::add(const std::string& gid, const std::shared_ptr<Wait>& wait) {
  const base::Lock lock(mutex_);
  const auto [group, is_first] = by_gid_.try_emplace(gid);
  group->second.insert(wait);
  return is_first;
}

void Waits::remove(const std::string& gid, const std::shared_ptr<Wait>& wait) {
  const base::Lock lock(mutex_);
  if (const auto found = by_gid_.find(gid); found != by_gid_.end()) found->second.erase(wait);
}

Waits::Group Waits::take(const std::string& gid) {
  const base::Lock lock(mutex_);
  const auto found = by_gid_.find(gid);
  if (found == by_gid_.end()) return {};
  auto group = std::move(found->second);
  by_gid_.erase(found);
  return group;
}

void Waits::begin(const std::shared_ptr<Context>& context, const std::string& gid,
                  const WaitPlan& plan, Done done) {
  const auto wait = std::make_shared<Wait>(context, gid, plan, std::move(done));
  auto& waits = context->waits;
  if (waits.count_ > context->options.waits_max) return wait->settle(ApiResult::ongoing("ONGOING"));
  const bool is_first = waits.add(gid, wait);
  wait->look_after(kFirstLook);
  if (!is_first) return;
  ask<Report>(
      [context, gid](const Result<Report>& result) {
        for (const auto& one : context->waits.take(gid)) one->settle(result);
      },
      [&](ReportCallback told) { return context->engine.wait(gid, std::move(told)); });
}

ApiResult answer_of_final(const Report& report, Status wanted) {
  if (report.status() == wanted) return {};
  return ApiResult::failure(client_reason(report.reason()));
}

}  // namespace belay::protocol
