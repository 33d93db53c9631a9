// The queue of effects whose batch is on disk. The effects are carried out in the order of the
// batches, and within one batch in the order of the decisions.
#pragma once

#include <cstddef>
#include <vector>

#include "engine/open_batch.h"

namespace belay::engine {

class ActQueue {
 public:
  // Takes the effects of a batch and puts them behind the rest of earlier batches; `batch` is empty
  // afterwards. The answers of the batch are not queued, see `answers`.
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
  // Removes and returns the first effect; the queue must not be empty.
  Act take() { return acts_[next_++]; }

  // The answers of the last batch: they are sent to their callers at once.
  const std::vector<Act>& answers() const { return answers_; }

 private:
  std::vector<Act> answers_;
  std::vector<Act> acts_;
  std::size_t next_ = 0;
};

}  // namespace belay::engine
