package main

import (
	"context"
	"errors"
	"net"
	"net/textproto"
	"strings"
	"sync"
	"sync/atomic"
)

// mailServers are the two that our server is given; see [mailMode].
type mailServers struct {
	silent, greedy net.Listener
	taken          atomic.Int64 // e-mails, by greedy

	mu   sync.Mutex
	open map[net.Conn]bool // guarded by mu
}

func listenForMail(ctx context.Context) (*mailServers, error) {
	m := &mailServers{open: map[net.Conn]bool{}}
	var lc net.ListenConfig
	var err error
	if m.silent, err = lc.Listen(ctx, "tcp", "127.0.0.1:0"); err != nil {
		return nil, err
	}
	if m.greedy, err = lc.Listen(ctx, "tcp", "127.0.0.1:0"); err != nil {
		return nil, errors.Join(err, m.silent.Close())
	}
	go m.accept(m.silent, func(c net.Conn) { _, _ = c.Read(make([]byte, 1)) })
	go m.accept(m.greedy, m.take)
	return m, nil
}

func (m *mailServers) address(mode mailMode) string {
	if mode == mailSent {
		return m.greedy.Addr().String()
	}
	return m.silent.Addr().String()
}

func (m *mailServers) accept(l net.Listener, serve func(net.Conn)) {
	for {
		c, err := l.Accept()
		if err != nil {
			return // closed
		}
		m.mu.Lock()
		m.open[c] = true
		m.mu.Unlock()
		go func() {
			serve(c)
			_ = c.Close()
			m.mu.Lock()
			delete(m.open, c)
			m.mu.Unlock()
		}()
	}
}

// take speaks as much SMTP as is needed to take every e-mail.
func (m *mailServers) take(c net.Conn) {
	t := textproto.NewConn(c)
	if t.PrintfLine("220 localhost ESMTP") != nil {
		return
	}
	for {
		line, err := t.ReadLine()
		if err != nil {
			return
		}
		verb, _, _ := strings.Cut(strings.ToUpper(line), " ")
		reply := "250 OK"
		switch verb {
		case "DATA":
			if t.PrintfLine("354 go ahead") != nil {
				return
			}
			if _, err := t.ReadDotBytes(); err != nil {
				return
			}
			m.taken.Add(1)
		case "QUIT":
			reply = "221 bye"
		}
		if t.PrintfLine("%s", reply) != nil || verb == "QUIT" {
			return
		}
	}
}

func (m *mailServers) close() {
	_, _ = m.silent.Close(), m.greedy.Close()
	m.mu.Lock()
	defer m.mu.Unlock()
	for c := range m.open {
		_ = c.Close()
	}
}
