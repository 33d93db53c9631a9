// CRC-32C (Castagnoli), the checksum of every batch.
#pragma once

#include <cstdint>
#include <string_view>

namespace belay::base {

std::uint32_t crc32c(std::string_view bytes) noexcept;
// The same without special instructions, for processors that lack them.
std::uint32_t crc32c_by_tables(std::string_view bytes) noexcept;

}  // namespace belay::base
