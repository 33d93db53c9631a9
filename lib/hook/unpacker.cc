#include "hook/unpacker.h"

#include <zlib.h>

#include <array>

namespace belay::hook {
namespace {

constexpr std::size_t kPartBytes = 16 * 1024;
constexpr int kGzipHeader = 16;  // selects gzip in zlib

// "deflate" is a zlib stream, but some servers send raw deflate.
bool has_zlib_header(std::string_view first) {
  const auto a = static_cast<unsigned char>(first[0]);
  const auto b = static_cast<unsigned char>(first[1]);
  return (a & 15U) == Z_DEFLATED && (a * 256U + b) % 31U == 0;
}

}  // namespace

Unpacker::Unpacker() = default;
Unpacker::~Unpacker() { close(); }

void Unpacker::begin(Packing packing) {
  close();
  packing_ = packing;
  is_whole_ = false;
  first_.clear();
}

void Unpacker::close() {
  if (is_open_) inflateEnd(stream_.get());
  is_open_ = false;
}

bool Unpacker::open() {
  if (!stream_) stream_ = std::make_unique<z_stream>();
  *stream_ = {};
  int window = MAX_WBITS;
  if (packing_ == Packing::gzip) window += kGzipHeader;
  if (packing_ == Packing::deflate && !has_zlib_header(first_)) window = -window;
  is_open_ = inflateInit2(stream_.get(), window) == Z_OK;
  return is_open_;
}

bool Unpacker::feed(std::string_view bytes, const Take& take) {
  if (is_open_) return run(bytes, take);
  const auto missing = 2 - first_.size();
  first_ += bytes.substr(0, missing);
  if (first_.size() < 2) return true;
  return open() && run(first_, take) && run(bytes.substr(missing), take);
}

bool Unpacker::run(std::string_view bytes, const Take& take) {
  std::array<char, kPartBytes> part;
  stream_->next_in = reinterpret_cast<Bytef*>(const_cast<char*>(bytes.data()));
  stream_->avail_in = static_cast<uInt>(bytes.size());
  while (true) {
    if (is_whole_ && stream_->avail_in != 0) {
      // After its end a gzip stream may continue with another member; deflate may not continue.
      if (packing_ != Packing::gzip || inflateReset(stream_.get()) != Z_OK) return false;
      is_whole_ = false;
    }
    stream_->next_out = reinterpret_cast<Bytef*>(part.data());
    stream_->avail_out = static_cast<uInt>(part.size());
    const int result = inflate(stream_.get(), Z_NO_FLUSH);
    if (result == Z_BUF_ERROR) return true;  // more input is needed
    is_whole_ = result == Z_STREAM_END;
    const auto size = part.size() - stream_->avail_out;
    if (size != 0 && !take({part.data(), size})) return false;
    if (result != Z_OK && !is_whole_) return false;
    if (stream_->avail_in == 0 && stream_->avail_out != 0) return true;
  }
}

}  // namespace belay::hook
