// Undoes a body's content coding as it comes in. libcurl could, but does not say whether what it
// undid was whole, and a no may be in what is missing.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

struct z_stream_s;

namespace belay::hook {

enum class Packing : std::uint8_t { none, gzip, deflate };

class Unpacker {
 public:
  using Take = std::function<bool(std::string_view part)>;

  Unpacker();
  Unpacker(const Unpacker&) = delete;
  Unpacker& operator=(const Unpacker&) = delete;
  ~Unpacker();

  // gzip or deflate.
  void begin(Packing packing);
  // Hands on what comes out, in parts of some KiB. False: these bytes are not packed so, or `take`
  // wants no more. Nothing may be fed after that.
  bool feed(std::string_view bytes, const Take& take);
  // Of all that was fed: it ends where a packed body ends.
  bool is_whole() const { return is_whole_; }

 private:
  bool open();
  void close();
  bool run(std::string_view bytes, const Take& take);

  Packing packing_ = Packing::none;
  std::unique_ptr<z_stream_s> stream_;
  bool is_open_ = false;
  bool is_whole_ = false;
  std::string first_;  // two bytes that say which deflate it is
};

}  // namespace belay::hook
