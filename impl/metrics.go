package impl

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"cryptoexchange.com/escrow/impl/internal/contract"
)

// metricsPath is where Prometheus looks for metrics.
const metricsPath = "/metrics"

// metricsTimeout is how long one scrape may take.
const metricsTimeout = 10 * time.Second

// metrics serves figures of the service in the text format of Prometheus, on an
// address of their own, for they are not for callers.
type metrics struct {
	listener net.Listener
	server   *http.Server
}

// listenForMetrics begins to listen; nothing is answered before serve.
func listenForMetrics(ctx context.Context, address string, counts func() contract.Counts) (*metrics, error) {
	registry := prometheus.NewRegistry()
	for _, c := range append(judgements(counts), collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{})) {
		if err := registry.Register(c); err != nil {
			return nil, fmt.Errorf("metrics: %w", err)
		}
	}
	listener, err := (&net.ListenConfig{}).Listen(ctx, "tcp", address)
	if err != nil {
		return nil, fmt.Errorf("metrics: %w", err)
	}
	mux := http.NewServeMux()
	mux.Handle("GET "+metricsPath, promhttp.HandlerFor(registry, promhttp.HandlerOpts{}))
	return &metrics{listener, &http.Server{
		Handler: mux, ReadTimeout: metricsTimeout, WriteTimeout: metricsTimeout, IdleTimeout: idleTimeout, MaxHeaderBytes: maxHeaderBytes,
	}}, nil
}

// serve answers until close. It may be called on nil, which answers nothing.
func (m *metrics) serve() {
	if m != nil {
		_ = m.server.Serve(m.listener) // which ends with the server
	}
}

func (m *metrics) close() error {
	if m == nil {
		return nil
	}
	err := m.server.Close() // and the listener, if it is served
	if e := m.listener.Close(); !errors.Is(e, net.ErrClosed) {
		err = errors.Join(err, e)
	}
	return err
}

// judgements are counters of what the contract has judged, for each direction.
// Names follow https://prometheus.io/docs/practices/naming (read 2026-11).
func judgements(counts func() contract.Counts) []prometheus.Collector {
	directions := map[string]func() contract.Judged{
		"request":  func() contract.Judged { return counts().Requests },
		"response": func() contract.Judged { return counts().Responses },
	}
	var all []prometheus.Collector
	for direction, judged := range directions {
		add := func(name, help string, labels prometheus.Labels, value func(contract.Judged) uint64) {
			labels["direction"] = direction
			all = append(all, prometheus.NewCounterFunc(
				prometheus.CounterOpts{Namespace: "escrow", Subsystem: "contract", Name: name, Help: help, ConstLabels: labels},
				func() float64 { return float64(value(judged())) }))
		}
		const bodies = "Bodies that were judged by the contract, by who judged them: a compiled checker, which accepted, or kin-openapi."
		add("bodies_total", bodies, prometheus.Labels{"judge": "checker"}, func(j contract.Judged) uint64 { return j.Checker })
		add("bodies_total", bodies, prometheus.Labels{"judge": "kin-openapi"}, func(j contract.Judged) uint64 { return j.Kin })
		add("sampled_total", "Bodies that a checker accepted and kin-openapi judged as well.", prometheus.Labels{}, func(j contract.Judged) uint64 { return j.Sampled })
		add("disagreements_total", "Bodies that a checker accepted and kin-openapi refused: a defect of the checker.", prometheus.Labels{}, func(j contract.Judged) uint64 { return j.Disagreements })
	}
	return all
}
