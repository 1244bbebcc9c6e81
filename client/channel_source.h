// ChannelSource: where the next call of a typed client goes. It is asked for each call, so that a server that
// moved is found. Called from any thread; never null.
#pragma once

#include <functional>
#include <memory>

namespace grpc {
class Channel;
}  // namespace grpc

namespace raakvlak::client {

using ChannelSource = std::function<std::shared_ptr<grpc::Channel>()>;

}  // namespace raakvlak::client
