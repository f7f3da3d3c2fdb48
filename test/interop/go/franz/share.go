package main

import (
	"context"
	"errors"
	"slices"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"

	"kafkito/interop/internal/suite"
)

// readFromStart sets the group config that makes a new share group begin with the oldest record.
func readFromStart(ctx context.Context, group string) error {
	cl, err := newClient()
	if err != nil {
		return err
	}
	defer cl.Close()
	resource := kmsg.NewIncrementalAlterConfigsRequestResource()
	resource.ResourceType = kmsg.ConfigResourceTypeGroupConfig
	resource.ResourceName = group
	config := kmsg.NewIncrementalAlterConfigsRequestResourceConfig()
	config.Name = "share.auto.offset.reset"
	config.Value = kmsg.StringPtr("earliest")
	resource.Configs = append(resource.Configs, config)
	request := kmsg.NewPtrIncrementalAlterConfigsRequest()
	request.Resources = append(request.Resources, resource)
	response, err := request.RequestWith(ctx, cl)
	if err != nil {
		return err
	}
	return kerr.ErrorForCode(response.Resources[0].ErrorCode)
}

func shareGroup(ctx context.Context) error {
	topic, err := createTopic(ctx, 1)
	if err != nil {
		return err
	}
	group := suite.Unique("franz-share")
	if err := readFromStart(ctx, group); err != nil {
		return err
	}
	sent := []string{"1", "2", "3", "4", "5", "6"}
	if err := produce(ctx, toRecords(topic, 0, sent...)); err != nil {
		return err
	}
	accepted := map[string]int{}
	// consume takes records until `want` have come and answers each with the status that decide gives.
	consume := func(want int, decide func(*kgo.Record) kgo.AckStatus) error {
		cl, err := newClient(kgo.ShareGroup(group), kgo.ConsumeTopics(topic))
		if err != nil {
			return err
		}
		defer cl.Close()
		for seen := 0; seen < want; {
			fetches := cl.PollFetches(ctx)
			if err := fetches.Err(); err != nil {
				return err
			}
			for _, record := range fetches.Records() {
				status := decide(record)
				record.Ack(status)
				if status == kgo.AckAccept {
					accepted[string(record.Value)]++
				}
				seen++
			}
		}
		return cl.FlushAcks(ctx)
	}
	odd := func(record *kgo.Record) kgo.AckStatus {
		if record.Offset%2 == 0 || record.DeliveryCount() > 1 {
			return kgo.AckAccept
		}
		return kgo.AckRelease
	}
	if err := consume(len(sent), odd); err != nil {
		return err
	}
	// What the first member released and has not yet got again is for the second one.
	if left := len(sent) - len(accepted); left > 0 {
		if err := consume(left, odd); err != nil {
			return err
		}
	}
	var got []string
	var problem error
	for value, count := range accepted {
		got = append(got, value)
		problem = errors.Join(problem, suite.Equal("acceptances of "+value, count, 1))
	}
	slices.Sort(got)
	return errors.Join(problem, suite.Equal("accepted records", got, sent))
}
