#include <httplib.h>

#include <memory>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "absl/time/clock.h"
#include "base/reason.h"
#include "base/status.h"
#include "client/witness_client.h"

namespace raakvlak::client {
namespace {

absl::Status Unavailable(absl::string_view message) {
  return base::Error(absl::StatusCode::kUnavailable, base::reason::kUnavailable, message);
}

class HttpWitnessClient final : public WitnessClient {
 public:
  HttpWitnessClient(std::string server, std::string path)
      : server_(std::move(server)), path_(std::move(path)) {}

  absl::StatusOr<WitnessReply> AddCheckpoint(absl::string_view body, absl::Duration timeout) override {
    // One connection a call: a few a minute, and no state that a failure could leave behind.
    httplib::Client client(server_);
    const auto wait = absl::ToChronoMicroseconds(timeout);
    client.set_connection_timeout(wait);
    client.set_read_timeout(wait);
    client.set_write_timeout(wait);
    client.set_follow_location(false);
    httplib::Request request;
    request.method = "POST";
    request.path = path_;
    request.headers = {{"Content-Type", "text/plain; charset=utf-8"}};
    request.body = std::string(body);
    std::string answer;
    const absl::Time deadline = absl::Now() + timeout;
    // The timeouts above are for each read: who answers a byte at a time must not hold the caller.
    request.content_receiver = [&](const char* data, size_t size, uint64_t, uint64_t) {
      answer.append(data, size);
      return answer.size() <= kMaxWitnessAnswer && absl::Now() < deadline;
    };
    const httplib::Result result = client.send(request);
    if (answer.size() > kMaxWitnessAnswer) {
      return base::Error(absl::StatusCode::kResourceExhausted, base::reason::kTooLarge,
                         "the witness's answer is too long");
    }
    if (absl::Now() >= deadline) {
      return base::Error(absl::StatusCode::kDeadlineExceeded, base::reason::kDeadlineExceeded,
                         "the witness did not answer in time");
    }
    if (!result) return Unavailable(absl::StrCat("the witness: ", httplib::to_string(result.error())));
    return WitnessReply{static_cast<uint32_t>(result->status), std::move(answer)};
  }

 private:
  const std::string server_;
  const std::string path_;
};

}  // namespace

absl::StatusOr<std::unique_ptr<WitnessClient>> MakeHttpWitnessClient(const std::string& url) {
  absl::string_view rest = url;
  const bool known_scheme = absl::ConsumePrefix(&rest, "http://") || absl::ConsumePrefix(&rest, "https://");
  const size_t slash = std::min(rest.find('/'), rest.size());
  const absl::string_view host = rest.substr(0, slash);
  absl::string_view prefix = rest.substr(slash);
  absl::ConsumeSuffix(&prefix, "/");
  const bool plain = url.find_first_of("?#@ \r\n\t") == std::string::npos;
  if (!known_scheme || host.empty() || !plain) {
    return base::Error(absl::StatusCode::kInvalidArgument, base::reason::kConfigInvalid,
                       absl::StrCat("a witness's url is http(s)://host[:port][/path], not ", url));
  }
  const std::string server = url.substr(0, url.size() - (rest.size() - slash));
  return std::make_unique<HttpWitnessClient>(server, absl::StrCat(prefix, "/add-checkpoint"));
}

}  // namespace raakvlak::client
