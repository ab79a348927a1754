-- wrk script: gets of random customers, uniformly. env: CUSTOMERS, ids are 1 to that, or IDS, file of ids; TOKEN; RUN, unique per call; PATHQ, path in front of the id
local path = os.getenv("PATHQ") or "/api/v1/escrow/partner/customer/"
local ids, count, tail = nil, tonumber(os.getenv("CUSTOMERS") or "0"), nil
if os.getenv("IDS") then
  ids = {}
  for l in io.lines(os.getenv("IDS")) do ids[#ids + 1] = l end
  count = #ids
end
math.randomseed(os.getenv("RUN") and tonumber(string.sub(os.getenv("RUN"), -6), 16) or os.time())
function init()
  tail = string.format(" HTTP/1.1\r\nHost: %s:%s\r\nAuthorization: Bearer %s\r\n\r\n", wrk.host, wrk.port, os.getenv("TOKEN"))
end
function request()
  local n = math.random(count)
  return "GET " .. path .. (ids and ids[n] or string.format("%d", n)) .. tail
end
function done(s, l, r)
  io.write(string.format("RES dur_us=%d n=%d p50_us=%d p99_us=%d max_us=%d bad=%d sockerr=%d\n", s.duration, s.requests, l:percentile(50), l:percentile(99), l.max, s.errors.status, s.errors.connect + s.errors.read + s.errors.write + s.errors.timeout))
end
