// submit: the decision to go forward. If the gid is unknown, the request contains the whole
// transaction; if the transaction goes forward already, nothing changes.
#include <utility>

#include "serve/protocol/describe.h"
#include "serve/protocol/handlers.h"

namespace belay::protocol {
namespace {

class Submit : public std::enable_shared_from_this<Submit> {
 public:
  Submit(ContextPtr context, const TransactionRequest& request, Described described, Done done)
      : context_(std::move(context)),
        described_(std::move(described)),
        gid_(request.gid),
        mode_(*mode_from(request.trans_type)),
        waits_(request.wait_result),
        plan_{.mode = mode_,
              .budget = wait_budget(*context_, request),
              .is_patient = request.retry_limit != 0,
              .is_delayed = described_.delay().count() != 0},
        done_(std::move(done)) {}

  // A saga or msg contains all it needs. A tcc or xa was usually prepared before, so only the
  // decision counts.
  void run() { mode_ == Mode::tcc || mode_ == Mode::xa ? give_word(true) : submit(); }

 private:
  using Step = void (Submit::*)(const Result<Report>&);

  ReportCallback then(Step step) {
    return [self = shared_from_this(), step](const Result<Report>& result) {
      (self.get()->*step)(result);
    };
  }

  void submit() {
    ask<Report>(then(&Submit::on_submitted), [&](ReportCallback done) {
      return context_->engine.submit(described_.description(), std::move(done));
    });
  }

  void on_submitted(const Result<Report>& result) {
    if (result) return on_known(*result);
    const auto code = result.error().code;
    if (code == ErrorCode::conflict || code == ErrorCode::forbidden) return look();
    done_(ApiResult::of(result.error()));
  }

  // `first`: if the gid is unknown, the transaction is prepared and the decision is tried again.
  void give_word(bool first) {
    ask<Report>(then(first ? &Submit::on_first_word : &Submit::on_word), [&](ReportCallback done) {
      return context_->engine.submit_prepared(gid_, described_.delay(), std::move(done));
    });
  }

  void on_first_word(const Result<Report>& result) {
    if (result || result.error().code != ErrorCode::not_found) return on_word(result);
    ask<Report>(then(&Submit::on_prepared), [&](ReportCallback done) {
      return context_->engine.prepare(described_.description(), std::move(done));
    });
  }

  void on_prepared(const Result<Report>& result) {
    // Another request was faster: its transaction counts.
    if (!result && result.error().code != ErrorCode::conflict)
      return done_(ApiResult::of(result.error()));
    give_word(false);
  }

  void on_word(const Result<Report>& result) {
    if (result) return on_known(*result);
    if (result.error().code == ErrorCode::forbidden) return look();
    done_(ApiResult::of(result.error()));
  }

  // The gid belongs to a transaction with another definition: its state decides.
  void look() {
    ask<Report>(then(&Submit::on_looked),
                [&](ReportCallback done) { return context_->engine.find(gid_, std::move(done)); });
  }

  void on_looked(const Result<Report>& result) {
    if (!result) return done_(ApiResult::of(result.error()));
    // A transaction of the same mode may differ only in a value that the submit contains, the
    // delay. A saga has no such value: a different saga is another transaction.
    const bool is_meant = result->mode() == mode_ && mode_ != Mode::saga;
    if (is_meant && result->status() == Status::submitted) return accepted(*result);
    if (is_meant && result->status() == Status::prepared && !gave_word_) {
      gave_word_ = true;
      return give_word(false);
    }
    refuse(*result);
  }

  // If the transaction existed before, only one that goes forward counts as submitted now.
  void on_known(const Report& report) {
    if (report.joined() && report.status() != Status::submitted) {
      if (report.status() == Status::prepared) return look();
      return refuse(report, Json{{"same_definition", true}});
    }
    accepted(report);
  }

  void accepted(const Report& report) {
    if (!waits_) return done_({});
    if (report.finished()) return done_(answer_of_final(report));
    Waits::begin(context_, gid_, plan_, done_);
  }

  // Uses dtm's text, also for a transaction that was submitted before and has ended; `more`
  // distinguishes the two.
  void refuse(const Report& report, Json more = {}) {
    auto answer = ApiResult::failure("current status '" + std::string(name_of(report.status())) +
                                     "', cannot sumbmit. FAILURE");
    answer.value = std::move(more);
    done_(std::move(answer));
  }

  const ContextPtr context_;
  const Described described_;
  const std::string gid_;
  const Mode mode_;
  const bool waits_;
  const WaitPlan plan_;
  const Done done_;
  bool gave_word_ = false;
};

}  // namespace

void submit(const ContextPtr& context, const TransactionRequest& request, Done done) {
  if (request.trans_type == name_of(Mode::workflow))
    return submit_workflow(context, request, std::move(done));
  auto described = describe(request, context->options);
  if (!described) return done(ApiResult::of(described.error()));
  std::make_shared<Submit>(context, request, std::move(*described), std::move(done))->run();
}

}  // namespace belay::protocol
