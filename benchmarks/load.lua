-- What wrk sends: tokens in the order of a file, groups in turn.
-- Arguments: method, file of paths, file of tokens ("-" sends none), number of the first token, body ("-" sends none).
-- Tokens go on where the last run stopped and begin anew at the end of the file.

local requests_begin, requests_end = {}, ""
local tokens, token, path = {}, 0, 0

local function lines_of(file)
  local found = {}
  for line in io.lines(file) do found[#found + 1] = line end
  return found
end

function init(args)
  local method, path_file, token_file, first, body = args[1], args[2], args[3], tonumber(args[4]), args[5]
  for _, one in ipairs(lines_of(path_file)) do
    local begin = method .. " " .. one .. " HTTP/1.1\r\nHost: " .. wrk.host .. "\r\n"
    if token_file ~= "-" then begin = begin .. "Authorization: Bearer " end
    requests_begin[#requests_begin + 1] = begin
  end
  if token_file ~= "-" then
    tokens, requests_end = lines_of(token_file), "\r\n"
  end
  if body ~= "-" then
    requests_end = requests_end .. "Content-Type: application/json\r\nContent-Length: " .. #body .. "\r\n\r\n" .. body
  else
    requests_end = requests_end .. "\r\n"
  end
  token = first % math.max(#tokens, 1)
end

function request()
  path = path % #requests_begin + 1
  if #tokens == 0 then return requests_begin[path] .. requests_end end
  token = token % #tokens + 1
  return requests_begin[path] .. tokens[token] .. requests_end
end

function done(summary, latency)
  local errors = summary.errors
  io.write(string.format(
    'RESULT {"requests": %d, "duration_us": %d, "refused": %d, "broken": %d, "p50_us": %d, "p99_us": %d}\n',
    summary.requests, summary.duration, errors.status, errors.connect + errors.read + errors.write + errors.timeout,
    latency:percentile(50), latency:percentile(99)))
end
