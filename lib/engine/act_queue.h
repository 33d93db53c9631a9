// Effects whose batch is on disk: they are carried out in the order of the batches, and within one
// in the order of the decisions.
#pragma once

#include <cstddef>
#include <vector>

#include "engine/open_batch.h"

namespace belay::engine {

class ActQueue {
 public:
  // Takes those of a batch, behind what is left of earlier ones; `batch` is empty then. Its answers
  // are not queued: see `answers`.
  void add(Acts& batch) {
    answers_.clear();
    answers_.swap(batch.answers);
    if (next_ > acts_.size() / 2) {
      acts_.erase(acts_.begin(), acts_.begin() + static_cast<std::ptrdiff_t>(next_));
      next_ = 0;
    }
    acts_.insert(acts_.end(), batch.others.begin(), batch.others.end());
    batch.others.clear();
  }
  bool empty() const { return next_ == acts_.size(); }
  std::size_t size() const { return acts_.size() - next_; }
  // The first, taken out; there must be one.
  Act take() { return acts_[next_++]; }

  // Of the last batch: callers hear of it at once.
  const std::vector<Act>& answers() const { return answers_; }

 private:
  std::vector<Act> answers_;
  std::vector<Act> acts_;
  std::size_t next_ = 0;
};

}  // namespace belay::engine
