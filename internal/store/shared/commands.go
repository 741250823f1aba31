package shared

import "github.com/authctl/authctl/internal/store/address"

// Commands are what the engine is asked for tokens, in the words of its ACL. AUTH and HELLO, which go before, every
// user may; a cluster and another database need more, as Rules has it. Each is used on keys and channels that begin
// with "authctl:" alone; only SCAN sees names of others. Probe asks INFO besides, and does without it.
func Commands() []string {
	return []string{"get", "pttl", "set", "del", "eval", "publish", "subscribe", "scan"}
}

// Rules are the rights of a user of the engine that suffice at an address, as ACL SETUSER takes them behind name and
// password.
func Rules(a address.Address) []string {
	commands := Commands()
	if a.Cluster {
		commands = append(commands, "cluster|slots", "asking")
	}
	if a.DB != 0 {
		commands = append(commands, "select")
	}
	return append([]string{"resetkeys", "~" + prefix + "*", "resetchannels", "&" + prefix + "*"}, only(commands)...)
}

// SentinelRules are the rights that suffice for the default user of sentinels, as Rules.
func SentinelRules() []string {
	commands := []string{"sentinel|get-master-addr-by-name", "sentinel|sentinels", "subscribe", "ping"}
	return append([]string{"resetchannels", "&+switch-master", "&+replica-reconf-done"}, only(commands)...)
}

// only are the rules for these commands and no others.
func only(commands []string) []string {
	rules := []string{"-@all"}
	for _, command := range commands {
		rules = append(rules, "+"+command)
	}
	return rules
}

// get is GET, for scripts, of what may be no string: then it is empty. What is not there is false.
const get = `local function get(name)
  local value = redis.pcall('GET', name)
  if type(value) == 'table' then return '' end
  return value
end
`

// The scripts' first key is that of a lease, and their first argument its value, but for putToken.
const (
	// putToken writes a token (ARGV: the value that was seen, the new one, its life in ms), or returns another one that is
	// there, and how long that still lives.
	putToken = get + `local there = get(KEYS[1])
if there and there ~= ARGV[1] then return {there, redis.call('PTTL', KEYS[1])} end
redis.call('SET', KEYS[1], ARGV[2], 'PX', ARGV[3])
return {}`
	// takeOver takes the lease of one who is dead (ARGV: its value, the new one, its length, with how many ms left or
	// less it is that).
	takeOver = get + `if get(KEYS[1]) ~= ARGV[1] or redis.call('PTTL', KEYS[1]) > tonumber(ARGV[4]) then return 0 end
redis.call('SET', KEYS[1], ARGV[2], 'PX', ARGV[3])
return 1`
	// renew makes a lease as long as it was (ARGV: its value, its length in ms).
	renew = get + `if get(KEYS[1]) ~= ARGV[1] then return 0 end
redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2])
return 1`
	// leave replaces the note of whoever holds the lease (ARGV: its value, the note or nothing, its life in ms).
	leave = get + `if get(KEYS[1]) ~= ARGV[1] then return 0 end
if ARGV[2] == '' then redis.call('DEL', KEYS[2]) else redis.call('SET', KEYS[2], ARGV[2], 'PX', ARGV[3]) end
return 1`
	// release gives a lease back and wakes those who wait (ARGV: its value, the channel).
	release = get + `if get(KEYS[1]) ~= ARGV[1] then return 0 end
redis.call('DEL', KEYS[1])
redis.call('PUBLISH', ARGV[2], '')
return 1`
)
