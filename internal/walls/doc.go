// Package walls holds no code: its tests read the project's source and keep the rules that a compiler does not,
// each with its reason beside it: who may import whom, who may reveal a secret, and that nothing runs before main.
package walls
