-- What wrk sends: tokens in the order of a file, groups in turn.
-- Arguments: method, file of paths, file of tokens ("-" sends none), number of the first token, file of bodies, one a
-- line ("-" sends none).
-- Tokens go on where the last run stopped and begin anew at the end of the file; bodies are taken in turn.

local requests_begin, requests_end = {}, {}
local tokens, token, path, body = {}, 0, 0, 0

local function lines_of(file)
  local found = {}
  for line in io.lines(file) do found[#found + 1] = line end
  return found
end

function init(args)
  local method, path_file, token_file, first, body_file = args[1], args[2], args[3], tonumber(args[4]), args[5]
  for _, one in ipairs(lines_of(path_file)) do
    local begin = method .. " " .. one .. " HTTP/1.1\r\nHost: " .. wrk.host .. "\r\n"
    if token_file ~= "-" then begin = begin .. "Authorization: Bearer " end
    requests_begin[#requests_begin + 1] = begin
  end
  local after_token = ""
  if token_file ~= "-" then
    tokens, after_token = lines_of(token_file), "\r\n"
  end
  if body_file ~= "-" then
    for _, one in ipairs(lines_of(body_file)) do
      local head = after_token .. "Content-Type: application/json\r\nContent-Length: " .. #one .. "\r\n\r\n"
      requests_end[#requests_end + 1] = head .. one
    end
  else
    requests_end = { after_token .. "\r\n" }
  end
  token = first % math.max(#tokens, 1)
end

function request()
  path = path % #requests_begin + 1
  body = body % #requests_end + 1
  if #tokens == 0 then return requests_begin[path] .. requests_end[body] end
  token = token % #tokens + 1
  return requests_begin[path] .. tokens[token] .. requests_end[body]
end

function done(summary, latency)
  local errors = summary.errors
  io.write(string.format(
    'RESULT {"requests": %d, "duration_us": %d, "refused": %d, "broken": %d, "p50_us": %d, "p99_us": %d}\n',
    summary.requests, summary.duration, errors.status, errors.connect + errors.read + errors.write + errors.timeout,
    latency:percentile(50), latency:percentile(99)))
end
