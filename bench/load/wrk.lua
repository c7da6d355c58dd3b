-- Sends the requests of a file in rotation: on each line a path, and behind a space a token or nothing.

local requests = {}
local next_one = 0
local threads = 0

function setup(thread)
  thread:set("number", threads)
  threads = threads + 1
end

function init(arguments)
  for line in io.lines(arguments[1]) do
    local path, token = line:match("(%S+) ?(%S*)")
    local header = token ~= "" and {["Authorization"] = "Bearer " .. token} or nil
    requests[#requests + 1] = wrk.format("GET", path, header)
  end
  -- The threads begin at different places.
  next_one = math.floor(#requests / 2) * (number % 2)
end

function request()
  next_one = next_one % #requests + 1
  return requests[next_one]
end

function done(summary, latency, _)
  local errors = summary.errors
  io.write(string.format(
      "RESULT requests=%d micros=%d bytes=%d status=%d socket=%d timeout=%d p50=%d p99=%d\n",
      summary.requests, summary.duration, summary.bytes, errors.status,
      errors.connect + errors.read + errors.write, errors.timeout,
      latency:percentile(50), latency:percentile(99)))
end
