package redistest

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"net"
	"strconv"
	"strings"
	"time"
)

// conversation is a connection to a server, in RESP2.
type conversation struct {
	net.Conn
	from *bufio.Reader
}

func converse(connection net.Conn) *conversation {
	return &conversation{connection, bufio.NewReader(connection)}
}

// do sends a command and reads its answer.
func (c *conversation) do(command ...string) (any, error) {
	if err := c.SetDeadline(time.Now().Add(patience)); err != nil {
		return nil, err
	}
	if _, err := c.Write(encode(command)); err != nil {
		return nil, err
	}
	return c.read()
}

func (c *conversation) read() (any, error) {
	_, answer, err := readAnswer(c.from)
	if err != nil {
		return nil, err
	}
	if problem, ok := answer.(error); ok {
		return nil, problem
	}
	return answer, nil
}

// encode is a command as clients send it: an array of bulk strings.
func encode(command []string) []byte {
	text := fmt.Appendf(nil, "*%d\r\n", len(command))
	for _, word := range command {
		text = fmt.Appendf(text, "$%d\r\n%s\r\n", len(word), word)
	}
	return text
}

// readAnswer reads one whole answer of RESP2 or RESP3, and returns it as it came beside what it says. What it says of a
// map is a list, and of what RESP2 has not a string.
func readAnswer(from *bufio.Reader) (raw []byte, answer any, err error) {
	line, err := from.ReadBytes('\n')
	if err != nil {
		return nil, nil, err
	}
	text := strings.TrimSuffix(string(line[1:]), "\r\n")
	switch line[0] {
	case ':':
		number, err := strconv.ParseInt(text, 10, 64)
		return line, number, err
	case '-':
		return line, errors.New(text), nil
	case '$', '=', '!':
		return readBulk(from, line, text)
	case '*', '~', '>', '%', '|':
		return readList(from, line, text)
	case '_':
		return line, nil, nil
	case '+', '#', ',', '(':
		return line, text, nil
	}
	return nil, nil, fmt.Errorf("an answer begins with %q", line[0])
}

func readBulk(from *bufio.Reader, line []byte, length string) ([]byte, any, error) {
	n, err := strconv.Atoi(length)
	if err != nil || n < 0 {
		return line, nil, err
	}
	body := make([]byte, n+2)
	_, err = io.ReadFull(from, body)
	return append(line, body...), string(body[:n]), err
}

func readList(from *bufio.Reader, line []byte, length string) ([]byte, any, error) {
	n, err := strconv.Atoi(length)
	if err != nil || n < 0 {
		return line, nil, err
	}
	// A map has two for each, and an attribute stands before what it is of.
	switch line[0] {
	case '%':
		n *= 2
	case '|':
		n = 2*n + 1
	}
	raw, list := bytes.Clone(line), []any{}
	for range n {
		more, one, err := readAnswer(from)
		if err != nil {
			return nil, nil, err
		}
		raw, list = append(raw, more...), append(list, one)
	}
	return raw, list, nil
}

// words are a command's, from what readAnswer says of it.
func words(command any) []string {
	list, _ := command.([]any)
	var text []string
	for _, one := range list {
		text = append(text, fmt.Sprint(one))
	}
	return text
}
